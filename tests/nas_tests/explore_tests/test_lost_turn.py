"""A turn that another worker had at the same time: nothing twice, and nothing too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from nas.records import DUPLICATE, FINISHED, INTERRUPTED, REJECTED, SURPLUS, TrialRecord
from nas.run import Run
from nas.store.leases.folder import FolderLease
from nas.store.ledger import ROOT, WORKER
from nas.store.study import open_storage
from search_spaces import Space
from search_spaces.space import Point
from tests.nas_tests.explore_tests.made_up import MadeUp, kept

GOAL = 6

Write = Callable[[optuna.Study, FrozenTrial], None]


def add(study: optuna.Study, like: FrozenTrial, **attrs: object) -> None:
    study.add_trial(
        create_trial(
            state=TrialState.RUNNING,
            params=like.params,
            distributions=like.distributions,
            user_attrs={**like.user_attrs, WORKER: "", **attrs},
            system_attrs=like.system_attrs,
        )
    )


def the_same(study: optuna.Study, found: FrozenTrial) -> None:
    """What the other worker has found, which has died since."""
    add(study, found)


def another(study: optuna.Study, found: FrozenTrial) -> None:
    point: Point = {"family": "none", "attention": "none", "blocks": 1, "channels": 8}
    arch = Space.load("tiny").architecture(point, 4)
    add(study, found, architecture=arch.to_dict(), architecture_hash=arch.hash)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'study.db'}"


def searched_beside(
    folder: Path, monkeypatch: pytest.MonkeyPatch, at: int, write: Write | None
) -> tuple[Run, MadeUp]:
    """A search whose turn is cut short once: when it has found a job with ``at`` trials there."""
    looked = FolderLease.has_turn
    cut = False

    def has_turn(self: FolderLease) -> bool:
        nonlocal cut
        study = optuna.load_study(study_name="run", storage=open_storage(url(folder)))
        trials = study.get_trials()
        running = [trial for trial in trials if trial.state is TrialState.RUNNING]
        if cut or len(trials) < at or not running:
            return looked(self)
        cut = True
        if write is not None:
            write(study, running[-1])
        return False

    monkeypatch.setattr(FolderLease, "has_turn", has_turn)
    trainer = MadeUp()
    run = kept(folder, GOAL, trainer, rungs=1, storage=url(folder), study="run")
    assert cut
    return run, trainer


def finished_once(run: Run, trainer: MadeUp, before: int = 0) -> list[TrialRecord]:
    records = run.records()
    networks = Counter(r.architecture_hash for r in records if r.state == FINISHED)
    assert sum(networks.values()) == len(networks) == GOAL
    assert len(trainer.advanced) == len(set(trainer.advanced)) == GOAL - before
    left = {r.architecture_hash for r in records if r.state == INTERRUPTED}
    assert left <= networks.keys()
    return records


@pytest.mark.parametrize("at", [1, 4])
def test_one_that_another_worker_found_too(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, trainer = searched_beside(tmp_path, monkeypatch, at, the_same)
    records = finished_once(run, trainer)
    assert [r.reason for r in records if r.state == REJECTED].count(DUPLICATE) >= 1


@pytest.mark.parametrize("at", [2, GOAL])
def test_another_one_beside_it(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one too many at the end alone."""
    run, trainer = searched_beside(tmp_path, monkeypatch, at, another)
    records = finished_once(run, trainer)
    assert [r.reason for r in records].count(SURPLUS) == (1 if at == GOAL else 0)


def test_nobody_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, trainer = searched_beside(tmp_path, monkeypatch, 3, None)
    records = finished_once(run, trainer)
    assert not [r for r in records if r.state != FINISHED]


def test_a_network_that_both_took_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, GOAL, MadeUp(die_at=1), rungs=1, storage=url(tmp_path), study="run")

    def resumed(study: optuna.Study, found: FrozenTrial) -> None:
        assert ROOT in found.user_attrs
        add(study, found)

    run, trainer = searched_beside(tmp_path, monkeypatch, 3, resumed)
    finished_once(run, trainer, before=1)
