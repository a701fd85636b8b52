"""Budgets of time in whole searches: what is measured, kept out, told and remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import nas
from nas.cli.report.summarize import summarize
from nas.explore.events import Event, SearchStarted, TrialMeasuring, TrialRejected
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.study_settings import calibration_of, span_ms_of
from nas.latency.esr_score import Baseline, baseline_network
from nas.latency.meter import Figures, Meter
from nas.records import FINISHED, OVER_BUDGET, REJECTED
from nas.run import Run
from search_spaces import Architecture, Space, folded, price
from search_spaces.errors import InputError
from search_spaces.smallest import smallest
from tests.nas_tests.explore_tests.made_up import ByParameters, MadeUp, recorded, study_of
from tests.nas_tests.explore_tests.small import SMALL, ending


class Slow(ByParameters):
    """Networks that the search proposes may take ten times as long as is foretold."""

    # Ten are measured to calibrate, one to check the budget.
    before = 11
    count = 0

    def is_slow(self, arch: Architecture) -> bool:
        return int(arch.hash, 16) % 2 == 1

    def measure(self, arch: Architecture) -> Figures:
        self.count += 1
        figures = super().measure(arch)
        if self.count <= self.before or not self.is_slow(arch):
            return figures
        return replace(figures, latency_ms=10 * (figures.latency_ms or 0.0))


class SlowFirst(Slow):
    def is_slow(self, arch: Architecture) -> bool:
        return self.count == self.before + 1


def searched(kind: type[Slow], budget: str, trials: int, folder: Path, events: list[Event]) -> Run:
    settings = make_settings([budget], trials=trials, run=folder, sampler="random", **SMALL)
    meter = kind(settings.budget, settings.hr, (8, 8), "cpu")
    return run_search(settings, events.append, trainer=MadeUp(), meter=meter)


def test_every_trained_network_was_measured_within_it(tmp_path: Path) -> None:
    tiny = Space.load("tiny")
    least = price(tiny.architecture(smallest(tiny, lambda arch: price(arch).params, 4))).params
    run = searched(Slow, f"{least * 2.1 / 1e3:.3f}ms-latency", 6, tmp_path, [])
    assert len(run.finished()) == 6
    assert (run.finished()["latency_ms"] <= run.budgets["latency_ms"]).all()
    over = [r for r in run.records() if r.reason == OVER_BUDGET]
    assert over
    assert all((r.latency_ms or 0) > run.budgets["latency_ms"] for r in over)


def test_one_measured_over_it_is_not_trained(tmp_path: Path) -> None:
    events: list[Event] = []
    run = searched(SlowFirst, "20ms-latency", 1, tmp_path, events)
    rejected, trained = run.records()
    assert (rejected.state, rejected.reason) == (REJECTED, OVER_BUDGET)
    assert trained.state == FINISHED
    slow = study_of(run).trials[0]
    assert slow.state.name == "PRUNED"
    assert slow.constraints == {"latency": pytest.approx((rejected.latency_ms or 0) / 20 - 1)}
    assert slow.constraints["latency"] > 0
    assert len([e for e in events if isinstance(e, TrialRejected)]) == 1
    assert [e.over for e in events if isinstance(e, TrialMeasuring)] == [0, 1]


def test_a_generous_one_keeps_nothing_out(tmp_path: Path) -> None:
    events: list[Event] = []
    run = nas.search(
        ["10s-latency"], trials=1, run=tmp_path, threads=2, observer=events.append, **SMALL
    )
    assert run.objectives == ("psnr", "latency")
    assert {r.state for r in run.records()} == {FINISHED}
    assert all(set(t.constraints) == {"latency"} for t in study_of(run).trials)
    # Workers of the study need not measure these again.
    calibration = calibration_of(study_of(run))
    assert len(calibration) == 10
    assert min(calibration) > 0
    assert [e.over for e in events if isinstance(e, TrialMeasuring)] == [0]
    # One number everywhere: screen, run.yaml, records and reports.
    (started,) = [one for one in events if isinstance(one, SearchStarted)]
    assert started.latency == "8×8 input, cpu, 2 threads"
    assert run.about["identity"]["latency_threads"] == 2
    assert {r.made_with["latency"]["threads"] for r in run.records()} == {2}
    assert summarize(run, run.records()).latency_at == started.latency
    with pytest.raises(InputError, match="was made with latency threads 2, not 1; go on with"):
        nas.search(["10s-latency"], trials=1, run=tmp_path, threads=1, **SMALL)


def test_the_challenges_score_is_by_one_span_for_all_starts(tmp_path: Path) -> None:
    scored: dict[str, Any] = {"objectives": "psnr,esr_score", "run": tmp_path, **SMALL}
    nas.search("1G-params", trials=1, **scored)
    run = nas.search("1G-params", trials=2, **scored)
    kept = span_ms_of(study_of(run))
    assert list(kept) == [3]
    for record in run.records():
        assert record.made_with["latency"]["span_ms"] == kept[3]
        arch = folded(Architecture.from_dict(record.architecture))
        score = Baseline(baseline_network(4, 3), kept[3]).score(arch, record.latency_ms or 0)
        assert record.esr_score == pytest.approx(score.score, abs=1e-3)
    assert run.about["identity"]["latency_threads"] == torch.get_num_threads()
    assert "esr_score" in run.front().columns


def test_one_that_predictions_never_meet_is_said_to_be_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.explore.worker._MOST_BARREN", 3)
    monkeypatch.setattr(Meter, "fits", lambda self, arch: False)
    run = recorded(tmp_path, 2, events=(events := list[Event]()))
    assert run.finished().empty
    told = "3 of 3 proposals are over a budget: raise it or take another space"
    assert ending(events).reason == told
