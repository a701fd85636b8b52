"""What the figures say: hypervolume, rungs, savings, latency, importance, compression, several."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.records import FINISHED, PROMOTED, REJECTED, TrialRecord
from reports.account import Importance
from reports.plots.comparison import comparison_info
from reports.plots.compression import compression_info
from reports.plots.importance import importance_info
from reports.plots.latency import latency_info
from reports.plots.progress import progress_info
from reports.plots.rungs import rungs_info
from reports.plots.savings import savings_info
from search_spaces.errors import InputError
from tests.reports_tests.accounts import RECORDS, STEPS, SUMMARY, account, network, stopped


class TestProgress:
    def test_grows_to_the_whole_over_what_was_trained(self) -> None:
        info = progress_info([account()])
        (course,) = info.courses
        assert info.axes() == ("trials", "steps", "seconds", "clock_s")
        assert list(course.hypervolume) == sorted(course.hypervolume)
        assert course.hypervolume[-1] == pytest.approx(100)
        assert course.trials[-1] == 7, "four finished, two stopped, one failed"
        assert course.steps[-1] == 4 * STEPS + 2 * 100 + 50
        assert course.seconds[-1] == pytest.approx(4 * 9 + 2 * 1)
        assert course.clock_s == tuple(10.0 * (n + 1) for n in range(7))

    def test_follows_the_order_in_which_trials_ended(self) -> None:
        ended = {record.number: float(20 - record.number) for record in RECORDS}
        (course,) = progress_info([account(ended_s=ended)]).courses
        assert list(course.clock_s) == sorted(course.clock_s)
        # Trials 6, 5 and 4 come first and finish nothing.
        assert course.hypervolume[:3] == (0, 0, 0)
        assert course.hypervolume[3] > 0

    def test_without_times_there_is_no_clock(self) -> None:
        assert "clock_s" not in progress_info([account(ended_s={})]).axes()

    def test_several_runs_share_one_whole(self) -> None:
        worse = account("worse", records=tuple(r for r in RECORDS if r.number != 3))
        both = progress_info([account("better"), worse])
        assert both.courses[0].hypervolume[-1] == pytest.approx(100)
        assert 0 < both.courses[1].hypervolume[-1] < 100

    def test_networks_below_bicubic_count_where_most_are(self) -> None:
        weak = tuple(network(n, 27.0 + n, 100_000 * (n + 1)) for n in range(2))
        (course,) = progress_info([account(records=weak, ended_s={})]).courses
        assert course.hypervolume[0] > 0

    def test_needs_a_finished_trial(self) -> None:
        with pytest.raises(InputError, match="needs a finished trial"):
            progress_info([account(records=(stopped(0, 28.0, 10_000),))])


class TestRungs:
    def test_lines_end_with_the_final_figure(self) -> None:
        info = rungs_info(RECORDS, SUMMARY)
        lines = {line.number: line for line in info.lines}
        assert lines[3].steps == (100, 300, STEPS)
        assert lines[3].psnr_y_db[-1] == 29.5
        assert info.best == lines[3]
        assert {n for n, line in lines.items() if line.stopped} == {4, 5}
        assert "2 of them stopped early" in info.subtitle

    def test_a_network_that_was_promoted_has_one_line(self) -> None:
        earlier = replace(RECORDS[4], number=20, state=PROMOTED)
        assert rungs_info([*RECORDS, earlier], SUMMARY) == rungs_info(RECORDS, SUMMARY)

    def test_one_figure_each_is_no_curve(self) -> None:
        with pytest.raises(InputError, match="measured more than once"):
            rungs_info([replace(r, rungs=()) for r in RECORDS], SUMMARY)


class TestSavings:
    def test_shares_sum_up_to_training_every_network_whole(self) -> None:
        info = savings_info(RECORDS, STEPS)
        assert {share.label: share.steps for share in info.shares} == {
            "trained to the end": 4 * STEPS,
            "stopped early": 200,
            "failed": 50,
            "saved by stopping": 2 * STEPS - 200,
        }
        assert info.rungs == ((100, 2),)
        assert info.saved_share == pytest.approx(1600 / (6 * STEPS + 50))

    @given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.integers(1, 2000))
    def test_never_saves_less_than_nothing(self, ends: list[int], full: int) -> None:
        trials = [
            replace(stopped(i, 28.0, 1000), train_steps=end, rungs=()) for i, end in enumerate(ends)
        ]
        assert 0 <= savings_info(trials, full).saved_share < 1

    def test_needs_a_stopped_trial(self) -> None:
        with pytest.raises(InputError, match="nothing was stopped"):
            savings_info([r for r in RECORDS if r.state == FINISHED], STEPS)


class TestLatency:
    def test_rankings_that_agree_and_that_do_not(self) -> None:
        info = latency_info(RECORDS, SUMMARY)
        assert info.kendall_tau == pytest.approx(1)
        assert [p.number for p in info.points if p.is_best] == [3]
        finished = [r for r in RECORDS if r.state == FINISHED]
        turned = [replace(r, latency_ms=100 - (r.latency_ms or 0)) for r in finished]
        assert latency_info(turned, SUMMARY).kendall_tau == pytest.approx(-1)
        level = [replace(r, latency_ms=5.0) for r in finished]
        assert latency_info(level, SUMMARY).kendall_tau is None

    def test_budgets_near_the_points_are_drawn(self) -> None:
        near = replace(SUMMARY, budgets={"latency_ms": 26.0, "macs": 1e14})
        info = latency_info(RECORDS, near)
        assert (info.wall_ms, info.wall_g) == (26.0, None)

    def test_needs_two(self) -> None:
        with pytest.raises(InputError, match="two measured networks"):
            latency_info(RECORDS[:1], SUMMARY)


def test_importance_keeps_the_heaviest_and_tells_of_the_rest() -> None:
    many = {f"d{i:02}": 0.05 for i in range(20)} | {"heavy": 1.0}
    info = importance_info([Importance("the front", many), Importance("nothing", {})])
    assert info.targets == ("the front",)
    assert len(info.dimensions) == 12
    assert "heavy" in info.dimensions
    assert "9 lighter dimensions" in info.subtitle
    with pytest.raises(InputError, match="ten finished trials"):
        importance_info([])


def test_compression_goes_by_what_was_not_kept() -> None:
    info = compression_info(account().compressed, RECORDS, SUMMARY)
    panel = info.panels[0]
    assert [p.label for p in panel.points] == ["given", "prune", "distill", "int8"]
    assert [[p.label for p in path] for path in panel.paths] == [["given", "prune", "int8"]]
    assert panel.front == ((200.0, 29.0), (300.0, 29.2), (500.0, 29.5))
    with pytest.raises(InputError, match="got none"):
        compression_info([TrialRecord(0, REJECTED)], RECORDS, SUMMARY)


def test_comparison_tells_in_what_runs_differ() -> None:
    other = account("other", summary=replace(SUMMARY, profile="full"))
    info = comparison_info([account("one"), other])
    assert [front.name for front in info.panels[0].fronts] == ["one", "other"]
    # On a front or beside it, what was published is there by name.
    assert info.panels[2].fronts[0].published == {"imdn*": (1, 15.0, 29.2)}
    assert info.differences == ("proxy training differs (one: quick, other: full)",)
