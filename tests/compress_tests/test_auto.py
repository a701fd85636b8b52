from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import compress.auto
import compress.int8_step
from compress.auto import Compressed, CompressionPlan, auto
from compress.finetune import copied
from compress.prune import prune
from compress.step import Judge
from nas.compression import read_steps, to_table, write_steps
from nas.data import Dataset
from nas.latency.meter import Meter
from nas.records import FINISHED, REJECTED
from nas.training.recipe import Recipe
from search_spaces import Network, load, price
from search_spaces.errors import InputError, MissingExtra, NotPossible, WriteError
from tests.compress_tests.conftest import failing

RECIPE = Recipe(
    steps=6, batch=2, lr_size=12, learning_rate=1e-3, warmup_steps=1, averaged_share=0.3,
    precision="fp32",
)  # fmt: skip
PLAN = CompressionPlan("params", 9000, recipe=RECIPE, int8=None)


def judging(photos: Dataset) -> Judge:
    return Judge(photos, Meter((), (720, 1280), (12, 16), "cpu"), trial=7)


@pytest.fixture
def judge(small_photos: Dataset) -> Judge:
    return judging(small_photos)


@pytest.fixture(scope="module")
def made_once(tiny_network: Any) -> Network:
    made = tiny_network(shallow_residual=True, convolution="rep")
    assert isinstance(made, Network)
    return made


@pytest.fixture
def network(made_once: Network) -> Network:
    return copied(made_once).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("steps")


@pytest.fixture(scope="module")
def whole(made_once: Network, small_photos: Dataset, folder: Path) -> Compressed:
    """All steps, taken without a stop."""
    return auto(made_once, PLAN, folder, judging(small_photos))


def begun(whole: Path, target: Path, count: int) -> None:
    """Makes a folder in which so many steps are done."""
    steps = read_steps(whole / "steps.json")[:count]
    for name in ("plan.json", *(step.file for step in steps if step.file)):
        shutil.copy(whole / name, target)
    write_steps(steps, target / "steps.json")


def test_every_step_is_recorded_with_what_it_costs_and_is_worth(
    whole: Compressed, network: Network, folder: Path
) -> None:
    made, tmp_path = whole, folder
    assert [step.name for step in made.steps] == ["given", "fold", "prune", "distill", "fold"]
    given, folded, pruned, tuned, again = made.steps
    assert (given.kept, folded.kept, pruned.kept) == (True, True, True)
    # Folding a network without training forms leaves it as it is.
    assert not again.kept
    assert again.record.reason == "there was nothing to fold"
    assert given.record.params == price(network.architecture).params
    assert (folded.record.params or 0) < (given.record.params or 0)
    assert 0.95 * 9000 < (pruned.record.params or 0) <= 9000
    for step in made.steps[:3]:
        record = step.record
        assert record.number == step.parent == 7
        assert record.source == f"compressed:{step.name}"
        assert record.state == FINISHED
        assert None not in (record.macs, record.activations, record.memory_mb, record.latency_ms)
        stored = load(tmp_path / step.file)
        assert stored.architecture.hash == record.architecture_hash
        assert step.file_bytes == (tmp_path / step.file).stat().st_size
    assert folded.record.psnr_y_db == pytest.approx(given.record.psnr_y_db, abs=0.01)
    last = tuned if tuned.kept else pruned
    assert made.network.architecture.hash == last.record.architecture_hash
    assert read_steps(tmp_path / "steps.json") == made.steps
    assert list(to_table(made.steps)["kept"]) == [step.kept for step in made.steps]


def breaking(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Any], Any]) -> None:
    real = getattr(compress.auto, name)
    monkeypatch.setattr(compress.auto, name, lambda *a, **k: change(real(*a, **k)))


def spoilt(network: Network, by: float = 0.05) -> Network:
    with torch.no_grad():
        # Brighter everywhere: noise in weights that were drawn at random may also do good.
        for weights in network.upsampler.parameters():
            weights.add_(by)
    return network


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("fold", lambda f: replace(f, network=spoilt(f.network)), "folding moved PSNR-Y by -"),
        ("finetune", lambda t: replace(t, network=spoilt(t.network)), "training moved PSNR-Y by -"),
        ("finetune", lambda t: replace(t, after_db=None), "the training diverged"),
        ("finetune", lambda t: replace(t, network=spoilt(t.network, float("nan"))), "not finite"),
    ],
)
def test_a_step_that_makes_it_worse_is_reported_and_not_kept(
    name: str, change: Any, said: str, network: Network, judge: Judge, whole: Compressed,
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    place = 1 if name == "fold" else 3
    begun(folder, tmp_path, place)
    breaking(monkeypatch, name, change)
    made = auto(network, PLAN, tmp_path, judge)
    bad = made.steps[place]
    assert not bad.kept
    assert bad.record.state == REJECTED
    assert said in bad.record.reason
    assert bad.file == ""
    # The next step goes on from the one before.
    kept = made.steps[place - 1] if place == 3 else made.steps[2]
    assert kept.kept
    assert made.network.architecture.hash == kept.record.architecture_hash
    if place == 3:
        stored = load(tmp_path / kept.file).state_dict()
        assert all(torch.equal(stored[key], w) for key, w in made.network.state_dict().items())


def test_pruning_that_misses_the_budget_is_not_kept(
    network: Network, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = prune
    monkeypatch.setattr(
        compress.auto, "prune", lambda n, f, limit, *a, **k: real(n, f, 1.2 * limit)
    )
    made = auto(network, replace(PLAN, recipe=None), tmp_path, judge)
    assert [step.name for step in made.steps] == ["given", "fold", "prune", "fold"]
    assert "over the budget" in made.steps[2].record.reason
    assert made.network.architecture.hash == made.steps[1].record.architecture_hash


class Killed(BaseException):
    """As a kill: nothing catches it."""


def test_it_goes_on_after_a_kill_at_any_step(
    network: Network, judge: Judge, whole: Compressed, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    names = [step.name for step in whole.steps]
    tried: list[str] = []
    real = compress.auto._Run._take

    def take(self: Any, place_: int, name: str, *rest: Any) -> Any:
        tried.append(name)
        return real(self, place_, name, *rest)

    monkeypatch.setattr(compress.auto._Run, "_take", take)
    for place in range(len(names)):

        def killed(steps: Any, path: Path, place: int = place) -> None:
            # After the weights of the step, before its record: the least lucky moment.
            if len(steps) == place + 1:
                raise Killed
            write_steps(steps, path)

        with monkeypatch.context() as patch:
            patch.setattr(compress.auto, "write_steps", killed)
            with pytest.raises(Killed):
                auto(network, PLAN, tmp_path, judge)
        # The step that the kill before has undone, and the next.
        assert tried == names[max(0, place - 1) : place + 1]
        tried.clear()
    same(auto(network, PLAN, tmp_path, judge), whole)
    assert tried == names[-1:]
    tried.clear()
    same(auto(network, PLAN, tmp_path, judge), whole)
    assert tried == []


def same(one: Compressed, other: Compressed) -> None:
    assert [(s.name, s.kept, s.record.psnr_y_db, s.record.params) for s in one.steps] == [
        (s.name, s.kept, s.record.psnr_y_db, s.record.params) for s in other.steps
    ]
    state = other.network.state_dict()
    assert all(torch.equal(state[key], w) for key, w in one.network.state_dict().items())


def test_a_stopped_fine_tuning_goes_on_at_its_step(
    network: Network, judge: Judge, whole: Compressed, folder: Path, tmp_path: Path
) -> None:
    begun(folder, tmp_path, 3)

    def stop(step: int, loss: float) -> None:
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        auto(network, PLAN, tmp_path, judge, on_step=stop)
    steps: list[int] = []
    auto(network, PLAN, tmp_path, judge, on_step=lambda step, loss: steps.append(step))
    assert steps == [5, 6]
    assert not list(tmp_path.glob(".*"))


def test_what_the_machine_lacks_is_not_held_against_the_network(
    network: Network, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, recipe=None)
    for error in (
        WriteError("no room"),
        MissingExtra("no room", "export"),
        InputError("no room"),
        OSError(errno.ENOSPC, "no room"),
    ):
        with monkeypatch.context() as broken:
            breaking(broken, "fold", failing(error))
            with pytest.raises(type(error), match="no room"):
                auto(network, plan, tmp_path, judge)
        assert [step.name for step in read_steps(tmp_path / "steps.json")] == ["given"]
    assert [step.kept for step in auto(network, plan, tmp_path, judge).steps[:3]] == [True] * 3


def test_a_disk_that_has_room_again_gets_the_step_and_its_weights(
    network: Network, judge: Judge, whole: Compressed, folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    begun(folder, tmp_path, 2)
    write = Path.write_bytes

    def full(self: Path, content: bytes) -> int:
        if "prune" in self.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, content)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", full)
        with pytest.raises(WriteError, match="No space left"):
            auto(network, PLAN, tmp_path, judge)
    assert [step.name for step in read_steps(tmp_path / "steps.json")] == ["given", "fold"]
    made = auto(network, PLAN, tmp_path, judge)
    assert made.steps[2].kept
    assert load(tmp_path / made.steps[2].file).architecture.hash == made.network.architecture.hash


def test_what_the_network_does_not_allow_is_asked_once(
    network: Network, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, calls = replace(PLAN, recipe=None), []

    def refused(*_arguments: Any, **_options: Any) -> Any:
        calls.append(1)
        raise NotPossible("a part does not follow the trunk")

    monkeypatch.setattr(compress.auto, "prune", refused)
    for _ in range(2):
        made = auto(network, plan, tmp_path, judge)
        assert made.steps[2].record.reason == "a part does not follow the trunk"
    assert calls == [1]


def test_a_folder_of_another_compression_is_left_alone(
    network: Network, judge: Judge, whole: Compressed, folder: Path, tmp_path: Path,
    tiny_network: Any,
) -> None:  # fmt: skip
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="is there already and holds no steps"):
        auto(network, PLAN, tmp_path, judge)
    (tmp_path / "mine").unlink()
    begun(folder, tmp_path, 5)
    for other, given, said in (
        (replace(PLAN, limit=8500), network, "its plan differs"),
        (PLAN, tiny_network(seed=3, shallow_residual=True), "its network differs"),
    ):
        with pytest.raises(InputError, match=said):
            auto(given, other, tmp_path, judge)
    (tmp_path / "steps.json").write_text("[{}]")
    with pytest.raises(InputError, match="no records of a compression"):
        auto(network, PLAN, tmp_path, judge)
