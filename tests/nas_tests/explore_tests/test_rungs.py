"""Searches that stop networks early: pauses, promotions, deaths in between, later starts."""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest

import nas
from nas.explore.events import (
    Event,
    SearchEnded,
    TrialEnded,
    TrialPaused,
    TrialPromoted,
    TrialStarted,
)
from nas.explore.meter import Prices
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.study import open_storage
from nas.explore.trainer import NetworkTrainer
from nas.records import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    PROMOTED,
    REJECTED,
    RUNNING,
    STOPPED,
    TrialRecord,
)
from nas.run import Run
from search_spaces import Architecture, load
from tests.nas_tests.explore_tests.made_up import MadeUp

SMALL: dict[str, Any] = {"space": "tiny", "profile_name": "smoke", "latency_lr": (16, 16)}
STEPS = (1, 4, 12)


def recorded(
    folder: Path,
    trials: int,
    trainer: MadeUp | None = None,
    events: list[Event] | None = None,
    **more: Any,
) -> Run:
    """A search on the made-up table."""
    options: dict[str, Any] = {
        "space": "tiny",
        "profile_name": "smoke",
        "rungs": 3,
        "sampler": "random",
    }
    options |= more
    settings = make_settings(["40K-params"], trials=trials, run=folder, **options)
    observer = events.append if events is not None else None
    meter = Prices(settings.budgets)
    return run_search(settings, observer, trainer=trainer or MadeUp(), meter=meter)


def networks(run: Run) -> list[TrialRecord]:
    """One record a network: rejected ones and those that later trials went on with left out."""
    return [r for r in run.records() if r.state not in (PROMOTED, INTERRUPTED, REJECTED)]


def told(records: Sequence[TrialRecord]) -> list[tuple[str, str, str]]:
    """What has to be equal between two searches, to the last bit."""
    return [
        (r.architecture_hash, r.state, repr([(g.step, g.psnr_y_db, g.ssim_y) for g in r.rungs]))
        for r in records
    ]


def study_of(run: Run) -> optuna.Study:
    return optuna.load_study(study_name=run.about["study"], storage=open_storage(run.storage))


@pytest.fixture(scope="module")
def search(own_lock: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("rungs")
    return nas.search(["40K-params"], trials=7, rungs=3, run=folder, **SMALL)


class TestRealTraining:
    def test_every_network_is_stopped_or_finished(self, search: Run) -> None:
        records = networks(search)
        assert len(records) == 7
        states = Counter(r.state for r in records)
        assert states[FINISHED] >= 1
        assert states[STOPPED] >= 1
        assert states[FINISHED] + states[STOPPED] == 7
        for record in records:
            steps = [rung.step for rung in record.rungs]
            assert steps == list(STEPS[: len(steps)])
            assert (len(steps) == 3) == (record.state == FINISHED)
            if record.state == STOPPED:
                assert record.reason == f"stopped at step {steps[-1]} of 12"
                assert record.psnr_y_db is None
                assert record.params is not None
            else:
                assert record.psnr_y_db == record.rungs[-1].psnr_y_db
                assert record.latency_ms is not None

    def test_pauses_change_no_bit(self, search: Run, tmp_path: Path) -> None:
        trainer = NetworkTrainer.of(make_settings(**SMALL), "cpu")
        for record in (r for r in networks(search) if r.state == FINISHED):
            arch = Architecture.from_dict(dict(record.architecture))
            whole = trainer.advance(
                arch, 12, checkpoint=tmp_path / f"{arch.hash}.pt", on_step=lambda *_: None
            )
            assert (whole.psnr_y_db, whole.ssim_y) == (record.psnr_y_db, record.ssim_y)
            assert whole.step == record.train_steps == 12

    def test_nothing_is_left_running(self, search: Run) -> None:
        states = Counter(trial.state.name for trial in study_of(search).trials)
        assert set(states) <= {"COMPLETE", "PRUNED"}

    def test_front_and_weights_are_those_of_the_finished(self, search: Run) -> None:
        assert {r.state for r in search.front_records()} == {FINISHED}
        best = search.best()
        assert best is not None
        assert load(search.folder / "best.safetensors").architecture.hash == best.architecture_hash
        kept = {int(path.stem) for path in search.folder.glob("weights/*")}
        assert kept == {r.number for r in search.front_records()} | {best.number}
        stopped = {r.architecture_hash for r in networks(search) if r.state == STOPPED}
        assert {path.stem for path in search.folder.glob("checkpoints/*")} == stopped

    def test_more_trials_go_on_with_what_was_stopped(self, search: Run) -> None:
        before = {r.architecture_hash: r for r in networks(search)}
        run = nas.search(["40K-params"], trials=16, rungs=3, run=search.folder, **SMALL)
        after = {r.architecture_hash: r for r in networks(run)}
        assert len(after) == len(networks(run)) == 16
        for name, record in before.items():
            assert told([after[name]])[0][2].startswith(told([record])[0][2][:-1])

    def test_an_interrupted_one_goes_on_in_the_middle_of_a_rung(
        self, tmp_path: Path, one_thread: None
    ) -> None:
        trainer = NetworkTrainer.of(make_settings(**SMALL), "cpu")
        arch = make_settings(**SMALL).space.architecture(
            {"family": "none", "attention": "none", "blocks": 1, "channels": 8}, 4
        )
        whole = trainer.advance(arch, 12, checkpoint=tmp_path / "a.pt", on_step=lambda *_: None)
        steps: list[int] = []

        def stop(step: int, loss: float, seconds: float) -> None:
            steps.append(step)
            if step == 6:
                raise KeyboardInterrupt

        trainer.advance(arch, 4, checkpoint=tmp_path / "b.pt", on_step=stop)
        with pytest.raises(KeyboardInterrupt):
            trainer.advance(arch, 12, checkpoint=tmp_path / "b.pt", on_step=stop)
        parts = trainer.advance(arch, 12, checkpoint=tmp_path / "b.pt", on_step=stop)
        assert (parts.psnr_y_db, parts.ssim_y) == (whole.psnr_y_db, whole.ssim_y)
        assert steps == list(range(1, 13))


class Died(BaseException):
    """What kill -9 would be, as far as a test in this process can have it."""


class TestDeathAtAGivenPlace:
    @pytest.fixture(scope="class")
    @classmethod
    def undisturbed(cls, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
        return told(networks(recorded(tmp_path_factory.mktemp("whole"), 8, sampler="tpe")))

    @pytest.mark.parametrize("call", [2, 6])
    @pytest.mark.parametrize(
        "where",
        [
            "nas.explore.plan.begin",
            "nas.explore.plan.Plan.step_after",
            "nas.explore.worker.stop",
            "nas.explore.plan.Job.written",
            "nas.run.Run.weights",
            "optuna.study.Study.tell",
            "nas.explore.worker.Worker._write_tables",
            "search_spaces.space.Space.fill",
        ],
    )
    def test_nothing_is_lost_or_trained_twice(
        self,
        where: str,
        call: int,
        undisturbed: list[tuple[str, str, str]],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        calls = 0
        real = pkgutil.resolve_name(where)

        def dying(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise Died
            return real(*args, **more)

        before, after = MadeUp(), MadeUp()
        with monkeypatch.context() as patch:
            patch.setattr(where, dying)
            with pytest.raises(Died):
                recorded(tmp_path, 8, before, sampler="tpe", storage=None)
        run = recorded(tmp_path, 8, after, sampler="tpe", storage=None)
        assert told(networks(run)) == undisturbed
        assert RUNNING not in {r.state for r in run.records()}
        again = set(before.advanced) & set(after.advanced)
        # Only what was trained and not yet written down is asked for again; its checkpoint
        # is at that step already.
        assert len(again) <= (where == "nas.explore.plan.Job.written")


class TestDecisions:
    def test_no_step_is_trained_twice_and_most_stop_early(self, tmp_path: Path) -> None:
        trainer = MadeUp()
        run = recorded(tmp_path, 40, trainer)
        assert len(trainer.advanced) == len(set(trainer.advanced))
        by_step = Counter(step for _, step in trainer.advanced)
        assert by_step[1] == len(networks(run)) == 40
        # Near-ties and those on the front at the end included, eta bounds what goes on.
        assert 40 // 3 <= by_step[4] <= 20 + 2
        assert by_step[4] // 3 <= by_step[12] <= by_step[4]
        assert sorted(trainer.saved) == sorted(
            r.architecture_hash for r in networks(run) if r.state == FINISHED
        )

    def test_the_best_of_all_finish(self, tmp_path: Path) -> None:
        run = recorded(tmp_path, 40)
        worth = {r.number: r.rungs[0].psnr_y_db for r in networks(run)}
        winner = max(worth, key=lambda number: worth[number])
        assert winner in {r.number for r in networks(run) if r.state == FINISHED}

    def test_without_early_stopping_all_finish(self, tmp_path: Path) -> None:
        run = recorded(tmp_path, 6, early_stop=False)
        assert [r.state for r in run.records()] == [FINISHED] * 6
        assert all([rung.step for rung in r.rungs] == [12] for r in run.records())

    @pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
    def test_same_seed_same_search(self, sampler: str, tmp_path: Path) -> None:
        one, two = (
            recorded(tmp_path / name, 18, sampler=sampler, storage=storage)
            for name, storage in (("one", None), ("two", "memory"))
        )
        assert told(one.records()) == told(two.records())
        other = recorded(tmp_path / "other", 18, sampler=sampler, seed=1)
        assert told(other.records()) != told(one.records())

    @pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
    def test_interruptions_anywhere_change_nothing(self, sampler: str, tmp_path: Path) -> None:
        whole = recorded(tmp_path / "whole", 12, sampler=sampler)
        run, advanced, died = None, list[tuple[str, int]](), 0
        while run is None:
            trainer = MadeUp(die_at=3)
            try:
                run = recorded(tmp_path / "parts", 12, trainer, sampler=sampler, storage=None)
            except KeyboardInterrupt:
                died += 1
                states = {t.state.name for t in study_of(nas.open_run(tmp_path / "parts")).trials}
                assert "RUNNING" not in states
            advanced += trainer.advanced
        assert died > 3
        assert len(advanced) == len(set(advanced))
        assert told(networks(run)) == told(networks(whole))

    def test_a_later_start_revives_what_was_stopped(self, tmp_path: Path) -> None:
        first = recorded(tmp_path, 9, storage=None)
        before = {r.architecture_hash: r for r in networks(first)}
        trainer = MadeUp()
        run = recorded(tmp_path, 30, trainer, storage=None)
        after = {r.architecture_hash: r for r in networks(run)}
        assert len(after) == 30
        revived = [n for n, r in before.items() if len(after[n].rungs) > len(r.rungs)]
        assert revived
        for name in revived:
            reached = [step for n, step in trainer.advanced if n == name]
            assert min(reached) > before[name].rungs[-1].step

    def test_one_that_diverges_at_a_later_rung_fails(self, tmp_path: Path) -> None:
        run = recorded(tmp_path, 12, MadeUp(broken=(1, 9)))
        failed = [r for r in networks(run) if r.state == FAILED]
        assert len(failed) == 2
        assert len(networks(run)) == 12
        assert {r.reason for r in failed} == {"diverged: the loss is nan at step 3"}

    def test_no_network_is_proposed_twice(self, tmp_path: Path) -> None:
        run = recorded(tmp_path, 40)
        names = [r.architecture_hash for r in networks(run) if r.state in (FINISHED, STOPPED)]
        assert len(names) == len(set(names)) == 40

    def test_events_tell_the_story(self, tmp_path: Path) -> None:
        events: list[Event] = []
        run = recorded(tmp_path, 12, events=events)
        kinds = Counter(type(event).__name__ for event in events)
        assert kinds["TrialStarted"] == kinds["TrialPaused"] + kinds["TrialEnded"]
        paused = [e for e in events if isinstance(e, TrialPaused)]
        assert {e.record.state for e in paused} == {STOPPED}
        # Each step up was told of, by a trial of its own or within one.
        until = [e.until for e in events if isinstance(e, TrialStarted | TrialPromoted)]
        assert len(until) == sum(len(r.rungs) for r in networks(run))
        assert set(until) <= set(STEPS)
        last, ended = events[-1], [e for e in events if isinstance(e, TrialEnded)]
        assert last == SearchEnded("goal reached", 12, 12)
        assert ended[-1].stopped <= 12 - len(ended)
        assert paused[-1].trained <= 12

    def test_checkpoints_beyond_the_limit_go_the_worst_first(self, tmp_path: Path) -> None:
        trainer = MadeUp()
        run = recorded(tmp_path, 30, trainer, checkpoints_mb=2.0)
        gone = {path.stem for path in trainer.forgotten}
        stopped = [r for r in networks(run) if r.state == STOPPED]
        kept = [r for r in stopped if r.architecture_hash not in gone]
        assert kept
        assert len(kept) < len(stopped)
        assert sum((r.params or 0) * 16 for r in kept) <= 2e6

    def test_an_exhausted_space_still_brings_its_best_to_the_end(self, tmp_path: Path) -> None:
        from search_spaces import Space

        few = Space.from_dict(
            {
                "name": "few",
                "dimensions": {"channels": {"fill": {"low": 8, "high": 12}}},
                "architecture": {
                    "channels": "$channels",
                    "blocks": [{"kind": "distillation", "stages": 2, "distillation": "none"}],
                },
            }
        )
        events: list[Event] = []
        run = recorded(tmp_path, 9, events=events, space=few)
        last = events[-1]
        assert isinstance(last, SearchEnded)
        assert "exhausted" in last.reason
        assert Counter(r.state for r in networks(run))[FINISHED] >= 1
        assert RUNNING not in {r.state for r in run.records()}

    def test_the_tables_show_the_rungs(self, tmp_path: Path) -> None:
        import pandas as pd

        run = recorded(tmp_path, 12)
        frame = pd.read_csv(tmp_path / "trials.csv")
        assert len(frame) == len(run.records())
        stopped = frame[frame["state"] == STOPPED]
        assert set(stopped["rung_step"]) <= {1.0, 4.0}
        assert stopped["rung_psnr_y_db"].notna().all()
        assert (frame[frame["state"] == FINISHED]["rung_step"] == 12).all()
