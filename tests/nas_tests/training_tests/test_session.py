from __future__ import annotations

import csv
import errno
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nas.data import Dataset, Patches, Photo
from nas.training import session
from nas.training.events import (
    RolledBack,
    Saved,
    TrainingEnded,
    TrainingEvent,
    TrainingStarted,
    TrainingStep,
    Validated,
)
from nas.training.loop import train as real
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from nas.training.warm_start import initial_network
from search_spaces import Architecture, Network, build, load, save_weights
from search_spaces.errors import InputError

Make = Callable[..., TrainSettings]


def weights(run: Path, which: str = "last") -> dict[str, torch.Tensor]:
    return load(run / f"{which}.safetensors").state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def same_stem(one: Network, other: Network) -> bool:
    return same(one.stem.state_dict(), other.stem.state_dict())


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def stopping(step: int) -> Callable[[TrainingEvent], None]:
    """Ctrl-C while a step runs: by a real signal to this process."""
    done: list[int] = []

    def watch(event: TrainingEvent) -> None:
        if isinstance(event, TrainingStep) and event.step >= step and not done:
            done.append(step)
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def test_files_and_events_of_a_whole_training(make: Make) -> None:
    events: list[TrainingEvent] = []
    progress = train_fully(make(command="nas train"), events.append)
    run = make().run
    assert isinstance(events[0], TrainingStarted)
    assert events[0].bicubic_psnr_y_db.keys() == {"first", "second"}
    assert [e.step for e in events if isinstance(e, TrainingStep)] == list(range(1, 21))
    validated = [e for e in events if isinstance(e, Validated)]
    assert [e.step for e in validated] == [5, 10, 12, 15, 20]
    assert [e.phase for e in validated] == [0, 0, 0, 1, 1]
    assert isinstance(events[-1], TrainingEnded)
    rows = history(run)
    assert [row["step"] for row in rows] == ["5", "10", "12", "15", "20"]
    assert {"first_psnr_y_db", "second_ssim_y", "loss", "learning_rate"} <= rows[0].keys()
    best = max(rows, key=lambda row: float(row["first_psnr_y_db"]))
    assert progress.best_step == int(best["step"])
    about = yaml.safe_load((run / "train.yaml").read_text())
    assert about["result"]["best"]["step"] == progress.best_step
    assert about["recipe"]["source"] == "a test"
    assert about["command"] == "nas train"
    assert {path.name for path in run.iterdir()} == {
        ".lock", "best.safetensors", "last.safetensors", "history.csv", "train.yaml",
        "checkpoint.pt",
    }  # fmt: skip


def test_best_and_last_are_what_their_rows_say(make: Make) -> None:
    from nas.evaluate.validate import validate

    settings = make()
    train_fully(settings)
    rows = history(settings.run)
    photos = settings.photos.sets["first"]
    for which, row in (
        ("last", rows[-1]),
        ("best", max(rows, key=lambda row: float(row["first_psnr_y_db"]))),
    ):
        network = load(settings.run / f"{which}.safetensors")
        quality = validate(network, photos, 2)
        assert quality.psnr_y_db == pytest.approx(float(row["first_psnr_y_db"]), abs=1e-6)


@pytest.mark.parametrize("name", ["best.safetensors", "train.yaml"])
def test_what_no_training_has_made_is_not_overwritten(make: Make, name: str) -> None:
    settings = make()
    settings.run.mkdir()
    (settings.run / name).write_text("mine")
    with pytest.raises(InputError, match=f"holds {name}, which a training would overwrite, but"):
        train_fully(settings)
    assert [path.name for path in settings.run.iterdir()] == [name]


@pytest.mark.parametrize(
    ("steps", "every"), [(10, 20), (100, 20), (400, 20), (4000, 200), (10**6, 5000)]
)
def test_a_twentieth_of_the_steps_lies_between_validations(
    make: Make, steps: int, every: int
) -> None:
    settings = make(every=None)
    assert replace(settings, recipe=settings.recipe.stretched(steps)).validate_every == every


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stops=st.lists(st.integers(1, 20), min_size=1, max_size=3, unique=True).map(sorted))
def test_a_training_stopped_anywhere_ends_with_the_same_bits(make: Make, stops: list[int]) -> None:
    whole = make("whole")
    if not (whole.run / "last.safetensors").exists():
        train_fully(whole)
    folders = len(list(whole.run.parent.iterdir()))
    parts = make(f"parts-{folders}")
    for step in stops:
        # One that is asked for in the last step finds nothing left to stop.
        with suppress(KeyboardInterrupt):
            train_fully(parts, stopping(step))
    events: list[TrainingEvent] = []
    train_fully(parts, events.append)
    assert isinstance(events[0], TrainingStarted)
    # It is seen when the losses of the next step are read.
    assert stops[-1] <= events[0].step <= stops[-1] + len(stops)
    assert same(weights(whole.run), weights(parts.run))
    assert same(weights(whole.run, "best"), weights(parts.run, "best"))
    assert history(whole.run) == history(parts.run)


def test_checkpoints_come_after_the_time_given(make: Make) -> None:
    def saved(seconds: float) -> list[int]:
        events: list[TrainingEvent] = []
        train_fully(make(str(seconds), checkpoint_s=seconds), events.append)
        return [e.step for e in events if isinstance(e, Saved)]

    assert sorted(set(saved(0.0))) == list(range(21))
    # Else at the start of a phase, at validations and at the ends of phases.
    assert sorted(set(saved(60.0))) == [0, 5, 10, 12, 15, 20]


def test_a_finished_training_is_found_done(make: Make) -> None:
    train_fully(make())
    before = weights(make().run)
    events: list[TrainingEvent] = []
    train_fully(make(), events.append)
    assert [type(e) for e in events] == [TrainingStarted, TrainingEnded]
    assert same(before, weights(make().run))


def changed(full: FullRecipe, **changes: Any) -> FullRecipe:
    return full.changed(**changes)


def test_a_checkpoint_of_another_training_is_one_line(
    make: Make, full: FullRecipe, architecture: Architecture, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_fully(make(), stopping(3))
    wider = Architecture.from_dict(architecture.to_dict() | {"channels": 10})
    file = tmp_path / "init.safetensors"
    save_weights(build(architecture), file)
    for change, message in (
        ({"recipe": changed(full, batch=2)}, "another recipe;"),
        ({"recipe": changed(full, precision="bf16")}, "another precision"),
        ({"architecture": wider}, "another network;"),
        ({"seed": 1}, "another seed;"),
        ({"every": 4, "init": file}, r"another initial weights \(--init\) and another --validate"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            train_fully(make(**change))
        assert "\n" not in str(caught.value)
    train_fully(make())


@pytest.mark.parametrize("identity", [None, ["a"], 5])
def test_a_damaged_checkpoint_is_one_line(identity: object, make: Make) -> None:
    train_fully(make())
    file = make().run / "checkpoint.pt"
    if identity is None:
        file.write_bytes(b"nothing")
    else:
        torch.save(torch.load(file, weights_only=True) | {"identity": identity}, file)
    with pytest.raises(InputError, match="cannot go on from") as caught:
        train_fully(make())
    assert "\n" not in str(caught.value)


def broken(times: int) -> Any:
    """The loop, which finds a divergence at step 7, so often."""
    left = [times]

    def train(state: Any, patches: Any, recipe: Any, until: int, **rest: Any) -> Any:
        if until >= 7 and left[0] and recipe.loss == "l1":
            left[0] -= 1
            with torch.no_grad():
                next(state.network.parameters()).fill_(torch.nan)
        return real(state, patches, recipe, until, **rest)

    return train


def test_a_divergence_goes_back_to_the_last_sound_step(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "train", broken(1))
    events: list[TrainingEvent] = []
    progress = train_fully(make(), events.append)
    back = [e for e in events if isinstance(e, RolledBack)]
    assert [(e.step, e.rate_factor) for e in back] == [(5, 0.5)]
    assert "the loss is nan at step 6" in back[0].reason
    assert progress.rate_factor == 0.5
    assert [row["step"] for row in history(make().run)] == ["5", "10", "12", "15", "20"]
    rates = {e.step: e.learning_rate for e in events if isinstance(e, TrainingStep)}
    first = make().recipe.phases[0]
    assert rates[5] == pytest.approx(first.rate(4))
    assert rates[6] == pytest.approx(first.rate(5) / 2)
    assert all(tensor.isfinite().all() for tensor in weights(make().run).values())


def muon(full: FullRecipe) -> FullRecipe:
    """The same with Muon, from photos."""
    changes = {"optimizer": "muon", "filter_rate": 0.2, "first_weights": "photos"}
    phases = tuple(phase.replace(**changes) for phase in full.phases)
    return FullRecipe(name=full.name, source=full.source, phases=phases)


@pytest.mark.parametrize("stops", [[1], [7], [3, 12, 15]])
def test_with_muon_and_first_weights_from_photos_it_ends_with_the_same_bits(
    make: Make, full: FullRecipe, stops: list[int]
) -> None:
    whole, parts = make("whole", recipe=muon(full)), make("parts", recipe=muon(full))
    train_fully(whole)
    for step in stops:
        with pytest.raises(KeyboardInterrupt):
            train_fully(parts, stopping(step))
    train_fully(parts)
    assert same(weights(whole.run), weights(parts.run))
    assert history(whole.run) == history(parts.run)


def test_first_weights_are_of_fresh_networks_alone(
    make: Make, full: FullRecipe, architecture: Architecture, tmp_path: Path
) -> None:
    def begun(init: Path | None) -> dict[str, torch.Tensor]:
        run = f"begun-{init is None}"
        found: dict[str, torch.Tensor] = {}

        def look(event: TrainingEvent) -> None:
            if isinstance(event, Saved) and event.step == 0:
                content = torch.load(tmp_path / run / "checkpoint.pt", weights_only=True)
                found.update(content["state"]["network"])

        train_fully(make(run, recipe=muon(full), init=init), look)
        return found

    file = tmp_path / "init.safetensors"
    given = initial_network(architecture, None, 7)
    save_weights(given, file)
    assert same(begun(file), given.state_dict())
    fresh, random = begun(None), initial_network(architecture, None, 0).state_dict()
    changed = {name for name in fresh if not torch.equal(fresh[name], random[name])}
    assert changed == {"stem.conv.weight", "stem.conv.bias", "image_skip.conv.weight"}


def test_after_another_scale_the_image_skip_alone_is_fitted(
    make: Make, full: FullRecipe, architecture: Architecture, tmp_path: Path
) -> None:
    file = tmp_path / "x3.safetensors"
    given = build(Architecture.from_dict(architecture.to_dict() | {"scale": 3}))
    save_weights(given, file)
    settings = make(recipe=muon(full), init=file)
    begun = initial_network(architecture, file, 0).state_dict()
    found: dict[str, torch.Tensor] = {}

    def look(event: TrainingEvent) -> None:
        if isinstance(event, Saved) and event.step == 0:
            content = torch.load(settings.run / "checkpoint.pt", weights_only=True)
            found.update(content["state"]["network"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_fully(settings, look)
    changed = {name for name in found if not torch.equal(found[name], begun[name])}
    assert changed == {"image_skip.conv.weight"}


def test_a_teacher_teaches_and_belongs_to_the_training(
    make: Make, architecture: Architecture, tmp_path: Path
) -> None:
    file = tmp_path / "teacher.safetensors"
    save_weights(initial_network(architecture, None, 7), file)
    whole, parts = make("whole", teacher=file), make("parts", teacher=file)
    train_fully(whole)
    train_fully(alone := make("alone"))
    assert not same(weights(whole.run), weights(alone.run))
    with pytest.raises(KeyboardInterrupt):
        train_fully(parts, stopping(7))
    with pytest.raises(InputError, match="holds a training with another teacher"):
        train_fully(make("parts"))
    train_fully(parts)
    assert same(weights(whole.run), weights(parts.run))
    assert yaml.safe_load((whole.run / "train.yaml").read_text())["teacher"] == str(file)


def test_a_phase_with_large_patches_does_without_small_photos(
    make: Make, full: FullRecipe, photos: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 32 x 36 pixels; the second phase has patches of 20.
    small = Photo("small", photos.train[0].pixels[:18])
    mixed = replace(photos, train=(*photos.train, small))
    seen: list[int] = []

    def counting(state: Any, patches: Patches, recipe: Any, until: int, **rest: Any) -> Any:
        seen.append(len(patches._hr))
        return real(state, patches, recipe, until, **rest)

    monkeypatch.setattr(session, "train", counting)
    train_fully(make(photos=mixed))
    assert seen == [3, 3, 3, 2, 2]
    phases = (full.phases[0], full.phases[1].replace(lr_size=20))
    with pytest.raises(InputError, match="larger than all 3 training photos"):
        train_fully(make("none", photos=mixed, recipe=full.model_copy(update={"phases": phases})))
    assert not (make("none").run / "checkpoint.pt").exists()


def test_a_divergence_slows_muon_too(
    make: Make, full: FullRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, list[float]] = {}
    broken_train = broken(1)

    def watched(state: Any, patches: Any, recipe: Any, until: int, **rest: Any) -> Any:
        done = broken_train(state, patches, recipe, until, **rest)
        if recipe.loss == "l1":
            rates = [one["param_groups"][0]["lr"] for one in state.optimizer.state_dict()]
            seen[state.step] = rates
        return done

    monkeypatch.setattr(session, "train", watched)
    settings = make(recipe=muon(full))
    progress = train_fully(settings)
    assert progress.rate_factor == 0.5
    first = settings.recipe.phases[0]
    for step, rates in seen.items():
        factor = 1.0 if step <= 5 else 0.5
        pace = factor * first.pace(step - 1)
        assert rates == pytest.approx([first.learning_rate * pace, 0.2 * pace])
    assert set(seen) == {5, 10, 12}


def test_a_second_divergence_ends_it_with_one_line(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "train", broken(2))
    with pytest.raises(InputError, match="again at half the step size") as caught:
        train_fully(make())
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_what_was_there(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_fully(make(), stopping(6))
    files = {path: path.read_bytes() for path in make().run.iterdir() if path.name != ".lock"}

    def full(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="No space left on device; is the disk full") as caught:
            train_fully(make(checkpoint_s=0.0))
    assert "\n" not in str(caught.value)
    assert {p: p.read_bytes() for p in make().run.iterdir() if p.name != ".lock"} == files
    train_fully(make())


def test_two_trainings_in_one_folder_are_refused(make: Make) -> None:
    def meanwhile(event: TrainingEvent) -> None:
        if isinstance(event, TrainingStarted):
            with pytest.raises(InputError, match="another process is training here"):
                train_fully(make())

    train_fully(make(), meanwhile)


def test_weights_to_begin_with(make: Make, architecture: Architecture, tmp_path: Path) -> None:
    file = tmp_path / "init.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = build(architecture)
    save_weights(network, file)
    begun = initial_network(architecture, file, 0)
    assert same(begun.state_dict(), network.state_dict())
    larger = Architecture.from_dict(architecture.to_dict() | {"scale": 3})
    other = initial_network(larger, file, 0)
    assert isinstance(other, Network)
    name = next(name for name in network.state_dict() if name.startswith("stem."))
    assert torch.equal(other.state_dict()[name], network.state_dict()[name])
    # The image skip's filters are those of a scale, as the upsampler's.
    fresh = initial_network(larger, None, 0).state_dict()
    for name in ("image_skip.conv.weight", "upsampler.conv.weight"):
        assert torch.equal(other.state_dict()[name], fresh[name])
    for skip in ("none", {"kind": "linear", "kernel": 7}):
        changed = larger.to_dict() | {"image_skip": skip}
        again = initial_network(Architecture.from_dict(changed), file, 0)
        assert same_stem(again, network)
        with pytest.raises(InputError, match=r"the first image_skip\.conv\.weight"):
            initial_network(Architecture.from_dict(changed | {"scale": 2}), file, 0)
    wider = Architecture.from_dict(architecture.to_dict() | {"channels": 10})
    with pytest.raises(InputError, match="the weights are of another network"):
        initial_network(wider, file, 0)
    with pytest.raises(KeyboardInterrupt):
        train_fully(make(init=file), stopping(1))
