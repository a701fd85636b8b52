"""Audits of a run, with a recorded trainer: what is trained, kept, shared and gone on with."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import nas
from nas.audit.run import Audited, Progress, audit, rung_steps
from nas.audit.settings import AuditSettings
from nas.audit.store import AuditFolder, Training
from nas.audit.trainers import AuditTrainer
from nas.data.places import PhotoPlaces
from nas.explore.trainer import OnStep, Photos
from nas.records import Rung, TrialRecord
from nas.training.loop import Diverged
from search_spaces import Architecture
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Finished


@dataclass
class Recorded:
    """Says what a network is worth by its hash, and remembers what it was asked."""

    seed: int
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    fail: Callable[[str, int], None] = lambda hash_, step: None
    photos: Photos = field(default_factory=lambda: Photos("made up", "0" * 16))

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        self.asked.append((architecture.hash, self.seed, until_step))
        on_step(until_step, 0.1, 1.0)
        self.fail(architecture.hash, until_step)
        worth = int(architecture.hash[:2], 16) / 100 + 0.01 * self.seed
        return Rung(until_step, 28 + worth - 1 / until_step, 0.8, until_step / 10)

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        raise AssertionError

    def forget(self, checkpoint: Path) -> None:
        raise AssertionError

    def scores(self, architecture: Architecture) -> dict[str, float]:
        return {
            "grad_norm": int(architecture.hash[:2], 16) / 100,
            "snip": int(architecture.hash[2:4], 16) / 100,
        }


@dataclass
class Bench:
    """A run of four networks that may be written to, and its trainers."""

    folder: Path
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    fail: Callable[[str, int], None] = lambda hash_, step: None

    def trainer_of(self, seed: int) -> AuditTrainer:
        return Recorded(seed, self.asked, self.fail)

    def audit(
        self, observer: Callable[[Progress], None] | None = None, **settings: object
    ) -> Audited:
        made = AuditSettings(**({"networks": 4} | settings))  # type: ignore[arg-type]
        return audit(nas.open_run(self.folder), made, observer, self.trainer_of)


@pytest.fixture
def bench(finished: Finished, tmp_path: Path) -> Bench:
    return Bench(Path(shutil.copytree(finished.folder, tmp_path / "run")))


def test_trains_each_network_with_each_seed_through_the_rungs(bench: Bench) -> None:
    seen: list[Progress] = []
    found = bench.audit(seen.append)
    hashes = {r.architecture_hash for r in nas.open_run(bench.folder).records() if r.params}
    # Smoke trains 12 steps, without rungs of its own here or with some: the ends are certain.
    assert {(hash_, seed) for hash_, seed, _ in bench.asked} == {
        (hash_, seed) for hash_ in hashes for seed in (0, 1)
    }
    for hash_ in hashes:
        steps = [step for h, s, step in bench.asked if (h, s) == (hash_, 1)]
        assert steps == sorted(steps)
        assert {12, 24, 60} <= set(steps)
        assert steps[-1] == 60
    assert {"grad_norm", "snip", "told from settings"} <= {s.name for s in found.trust.signals}
    assert found.trust.seeds == (0, 1)
    assert set(found.trust.hashes) == hashes
    assert found.elsewhere == 0
    assert [p.steps_done for p in seen] == sorted(p.steps_done for p in seen)
    assert (seen[-1].done, seen[-1].steps_done) == (8, 8 * 60)


def test_a_second_audit_trains_nothing_again(bench: Bench) -> None:
    first = bench.audit()
    bench.asked.clear()
    second = bench.audit()
    assert bench.asked == []
    assert second.trust.long_db == first.trust.long_db
    assert second.trust.ceiling == first.trust.ceiling


def test_goes_on_after_an_interruption(bench: Bench) -> None:
    count = 0

    def interrupt(hash_: str, step: int) -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt

    bench.fail = interrupt
    with pytest.raises(KeyboardInterrupt):
        bench.audit()
    broken_off = bench.asked[-1]
    bench.fail = lambda hash_, step: None
    bench.audit()
    assert bench.asked.count(broken_off) == 2
    assert all(bench.asked.count(one) == 1 for one in bench.asked if one != broken_off)


def test_more_networks_and_a_larger_factor_add_to_it(bench: Bench) -> None:
    bench.audit(networks=3)
    bench.asked.clear()
    bench.audit(networks=4)
    assert len({hash_ for hash_, _, _ in bench.asked}) == 1
    bench.asked.clear()
    found = bench.audit(factor=10)
    assert {step for _, _, step in bench.asked} == {120}
    assert found.trust.long_step == 120
    assert {12, 24, 60} <= set(found.trust.rung_leads)
    bench.asked.clear()
    assert repr(bench.audit(factor=2).trust) == repr(found.trust)
    assert bench.asked == []


def test_a_divergence_is_worst_and_not_trained_again(bench: Bench) -> None:
    worst: list[str] = []

    def diverge(hash_: str, step: int) -> None:
        if not worst:
            worst.append(hash_)
        if hash_ == worst[0] and step > 12:
            raise Diverged("diverged: made up", step, math.nan)

    bench.fail = diverge
    found = bench.audit()
    broken = found.trust.hashes.index(worst[0])
    assert math.isnan(found.trust.long_db[broken])
    bench.asked.clear()
    bench.audit(factor=10)
    assert worst[0] not in {hash_ for hash_, _, _ in bench.asked}


def test_what_another_process_trains_is_left_to_it(bench: Bench) -> None:
    first = bench.audit(networks=3).trust.hashes[0]
    bench.asked.clear()
    folder = AuditFolder(bench.folder / "audit")
    with folder.turn(f"{first}-0", wait=False) as mine:
        assert mine
        # It has what the other one had written; the rest is told from three networks.
        found = bench.audit(factor=10, networks=4)
    assert found.elsewhere == 1
    assert (first, 0) not in {(hash_, seed) for hash_, seed, _ in bench.asked}
    # Of its two trainings the one that was free is there, and is held against other seeds.
    assert first in found.trust.hashes
    assert found.trust.seeds == (0, 1)


def test_too_little_to_tell_while_others_train(bench: Bench) -> None:
    first = bench.audit(networks=3).trust.hashes[0]
    folder = AuditFolder(bench.folder / "audit")
    told = pytest.raises(InputError, match="another process is busy with 1 trainings")
    with folder.turn(f"{first}-0", wait=False), told:
        bench.audit(factor=10, networks=3)
    bench.asked.clear()
    bench.audit(factor=10, networks=3)
    assert {(hash_, seed) for hash_, seed, _ in bench.asked} == {(first, 0)}


def test_a_training_has_one_owner(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "audit")
    with (
        folder.turn("a", wait=False) as first,
        AuditFolder(tmp_path / "audit").turn("a", wait=False) as second,
    ):
        assert (first, second) == (True, False)
    with folder.turn("a", wait=False) as again:
        assert again


def test_a_damaged_table_is_named(bench: Bench) -> None:
    bench.audit()
    path = next((bench.folder / "audit" / "trainings").glob("*.csv"))
    path.write_text("no table")
    with pytest.raises(InputError, match="remove it to train that network again"):
        bench.audit()
    path.unlink()
    (bench.folder / "audit" / "plan.json").write_text("{")
    with pytest.raises(InputError, match="remove it to plan anew"):
        bench.audit()


def test_parts_that_are_not_loaded_are_missed_at_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nas.audit.pick import candidates

    *others, last = candidates(nas.open_run(bench.folder).records())
    strange = replace(last, architecture={**last.architecture, "stem": "mine"})
    monkeypatch.setattr("nas.run.Run.records", lambda run: [*others, strange])
    with pytest.raises(InputError, match=r"unknown stem 'mine'.* --import FILE.py"):
        bench.audit()
    assert bench.asked == []


def test_rungs_written_are_read_again(tmp_path: Path) -> None:
    folder, training = AuditFolder(tmp_path), Training("abc", 1)
    rungs = [Rung(12, 28.123456789, 0.8, 1.5), Rung(60, math.nan, math.nan, 1.5)]
    folder.write(training, rungs)
    first, last = folder.rungs(training)
    assert first == rungs[0]
    assert (last.step, math.isnan(last.psnr_y_db)) == (60, True)
    assert folder.rungs(Training("abc", 2)) == []


def test_rung_steps() -> None:
    bare = TrialRecord(0, "finished")
    assert rung_steps([bare], 360, 5) == (40, 120, 360, 720, 1800)
    with_rungs = TrialRecord(0, "finished", rungs=(Rung(90, 1, 1, 1), Rung(360, 1, 1, 1)))
    assert rung_steps([bare, with_rungs], 360, 2) == (90, 360, 720)
    assert rung_steps([bare], 1, 1.01) == (1, 2)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"networks": 2}, "networks: expected at least 3, got 2"),
        ({"factor": 0.5}, "factor: expected more than 1 (times the proxy's steps), got 0.5"),
        ({"factor": math.nan}, "got nan"),
        ({"seeds": 0}, "seeds: expected 1 to 1000, got 0"),
    ],
)
def test_bad_settings(settings: dict[str, float], told: str) -> None:
    with pytest.raises(InputError) as error:
        AuditSettings(**settings)  # type: ignore[arg-type]
    assert told in str(error.value)


def test_photos_must_be_the_runs(finished: Finished, tmp_path: Path) -> None:
    from PIL import Image

    for k in range(3):
        Image.effect_noise((96, 96), 50 + k).convert("RGB").save(tmp_path / f"{k}.png")
    folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    with pytest.raises(InputError, match="were trained on other photos"):
        audit(nas.open_run(folder), AuditSettings(networks=3, moved=PhotoPlaces(tmp_path)))
    assert json.loads((folder / "audit" / "plan.json").read_text())["networks"]
