"""Signs of life in the run folder: whose trials are left alone, and what the last one leaves."""

from __future__ import annotations

from pathlib import Path

from nas.store.leases.folder import FolderLease
from nas.store.study import recover_interrupted
from tests.nas_tests.explore_tests.made_up import kept, study_of


def test_trials_of_another_living_worker_are_left_alone(tmp_path: Path) -> None:
    study = study_of(kept(tmp_path, 1))
    mine, others = FolderLease(tmp_path / "workers"), FolderLease(tmp_path / "workers")
    claimed, unclaimed = study.ask(), study.ask()
    claimed.set_user_attr("nas_worker", others.worker)
    assert not mine.alone()
    # A living worker claims its trial in the turn in which it asks for it.
    assert recover_interrupted(study, mine.alive) == 1
    others.release()
    assert mine.alone()
    assert recover_interrupted(study, mine.alive) == 1
    states = [study.trials[t.number].state.name for t in (claimed, unclaimed)]
    assert states == ["FAIL", "FAIL"]
    mine.release()


def test_the_last_to_go_leaves_nothing_of_its_own(tmp_path: Path) -> None:

    first, last = (FolderLease(tmp_path / "new/run/workers") for _ in range(2))
    with first.turn():
        pass
    first.release()
    assert (tmp_path / "new/run/workers/turn").exists()
    last.release()
    # What others made is theirs.
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "run"]
    alone = FolderLease(tmp_path / "another/workers")
    alone.release()
    assert not (tmp_path / "another").exists()
