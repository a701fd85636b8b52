"""Searches that stop networks early: pauses, promotions, deaths in between, later starts."""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

import nas
from nas.explore.events import Event, TrialEnded
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.trainer import NetworkTrainer
from nas.latency.meter import Prices
from nas.records import (
    FINISHED,
    RUNNING,
    STOPPED,
)
from nas.run import Run
from nas.store.leases.folder import FolderLease
from nas.store.ledger import ROOT, WORKER, read_records
from nas.store.study import begin
from search_spaces import Architecture, load
from tests.nas_tests.conftest import on_one_thread
from tests.nas_tests.explore_tests.made_up import MadeUp, kept, networks, recorded, study_of, told
from tests.nas_tests.explore_tests.small import SMALL

STEPS = (1, 4, 12)


@pytest.fixture(scope="module")
def search(own_lock: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("rungs")
    with on_one_thread():
        return nas.search(["40K-params"], trials=7, rungs=3, eta=3.0, run=folder, **SMALL)


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
        run = nas.search(["40K-params"], trials=12, rungs=3, eta=3.0, run=search.folder, **SMALL)
        after = {r.architecture_hash: r for r in networks(run)}
        assert len(after) == len(networks(run)) == 12
        for name, record in before.items():
            assert told([after[name]])[0][2].startswith(told([record])[0][2][:-1])

    def test_an_interrupted_one_goes_on_in_the_middle_of_a_rung(self, tmp_path: Path) -> None:
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
        return told(networks(recorded(tmp_path_factory.mktemp("whole"), 6, sampler="tpe")))

    @pytest.mark.parametrize("call", [2, 5])
    @pytest.mark.parametrize(
        "where",
        [
            "nas.explore.plan.begin",
            "nas.explore.plan.Plan.step_after",
            "nas.explore.worker.stop",
            "nas.explore.plan.Job.write",
            "nas.run.Run.weights",
            "optuna.study.Study.tell",
            "nas.explore.worker.Worker._update_tables",
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
                kept(tmp_path, 6, before, sampler="tpe")
        run = kept(tmp_path, 6, after, sampler="tpe")
        assert told(networks(run)) == undisturbed
        assert RUNNING not in {r.state for r in run.records()}
        again = set(before.advanced) & set(after.advanced)
        # Only what was trained and not yet written down is asked for again; its checkpoint
        # is at that step already.
        assert len(again) <= (where == "nas.explore.plan.Job.write")


def test_another_worker_may_promote_what_has_just_been_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, others = FolderLease.turn, list[int]()

    @contextmanager
    def turn(self: FolderLease, limit_s: float | None = None) -> Iterator[None]:
        with real(self, limit_s):
            yield
        # The turn of another one comes at once.
        study = study_of(nas.open_run(tmp_path))
        for trial in study.get_trials(states=(TrialState.PRUNED,)):
            if not others and read_records(study)[-1].state == STOPPED:
                others.append(trial.number)
                attrs = {**trial.user_attrs, ROOT: trial.number, WORKER: "another"}
                begin(study, trial, "another", attrs)

    def paused(event: Event) -> None:
        if isinstance(event, TrialEnded) and event.record.state == STOPPED:
            seen.append(event.record.number)
            raise KeyboardInterrupt

    seen: list[int] = []
    monkeypatch.setattr(FolderLease, "turn", turn)
    settings = make_settings(
        space="tiny", profile="smoke", rungs=3, eta=3.0, trials=5, sampler="random",
        run=tmp_path,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        run_search(settings, paused, trainer=MadeUp(), meter=Prices())
    assert seen == others


def test_a_replayed_search_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len(recorded(tmp_path / "run", 6, sampler="tpe", candidates=4).finished()) > 0
    assert capfd.readouterr() == ("", "")
