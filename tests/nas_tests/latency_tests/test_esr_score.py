"""The challenge's score: as its rules say, relative to SPAN, and the same SPAN for a whole run."""

from __future__ import annotations

import math

import pytest

from nas.explore.settings import make_settings
from nas.latency.esr_score import Baseline, EsrScore, baseline_network
from nas.latency.meter import Meter
from nas.latency.network_time import LatencyResult
from nas.latency.possible import check_possible
from nas.noise import Noise
from nas.objectives import OBJECTIVES
from search_spaces import Architecture, Space, folded, preset, price
from search_spaces.errors import NotPossible

TINY = Space.load("tiny")
SMALL = TINY.architecture(TINY.least(TINY.completed({})))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("colors", [1, 3])
def test_span_has_e_squared_at_every_scale_and_in_every_colour(scale: int, colors: int) -> None:
    span = baseline_network(scale, colors)
    assert (span.scale, span.colors) == (scale, colors)
    assert (span == preset("span", scale)) == (colors == 3)
    assert Baseline(span, 7.74).score(span, 7.74).score == pytest.approx(math.exp(2))


def test_the_baseline_is_the_challenges() -> None:
    assert price(baseline_network(4, 3)).params == 150_688


def test_another_network_has_what_the_rules_say() -> None:
    expected = 0.8 * math.exp(1.0) + 0.1 * math.exp(2 * 1.5) + 0.1 * math.exp(2 * 0.25)
    assert EsrScore(0.5, 1.5, 0.25).score == pytest.approx(expected)
    # The organisers' table of 2026: SPANV2's 5.24 ms, 9.1 G and 139,104 against SPAN's.
    span_v2 = EsrScore(5.24 / 7.74, 9.1 / 9.8, 139_104 / 150_688)
    assert span_v2.score == pytest.approx(4.37, abs=0.01)
    assert EsrScore(1e6, 1e6, 1e6).score < math.inf


@pytest.mark.parametrize("time", [0.4, 1.0, 2.5])
def test_a_clocks_noise_moves_it_by_its_derivative(time: float) -> None:
    share = 1e-4
    score, more = EsrScore(time, time, time).score, EsrScore(time * (1 + share), time, time).score
    noise = Noise(0.0, latency=share).of("esr_score", score)
    assert noise == pytest.approx(more - score, rel=1e-2)


class Clock:
    """Every measurement takes a second longer than the one before it."""

    def __init__(self) -> None:
        self.networks: list[Architecture] = []

    def __call__(self, networks: list[object], **_: object) -> list[LatencyResult]:
        self.networks += [network.architecture for network in networks]  # type: ignore[attr-defined]
        took_ms = 1e3 * len(self.networks)
        return [LatencyResult(took_ms, took_ms, took_ms, 1.0, 1.0, 7, (8, 8), "cpu", 1, "float32")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("nas.latency.meter.measure_latency", found)
    return found


def meter_of(*budgets: str, scores: bool = True) -> Meter:
    return Meter(make_settings(budgets).budget, (72, 128), (8, 8), "cpu", scores=scores)


def test_span_is_measured_once_and_told_with_every_network(clock: Clock) -> None:
    meter, span = meter_of(), baseline_network(4, 3)
    meter.measure_baselines(TINY, 4)
    assert clock.networks == [span]
    figures = [meter.measure(SMALL) for _ in range(2)]
    assert clock.networks == [span, folded(SMALL), folded(SMALL)]
    assert [one.measured_with["span_ms"] for one in figures] == [1000.0, 1000.0]
    baseline = Baseline(span, 1000.0)
    expected = [baseline.score(folded(SMALL), took_ms).score for took_ms in (2000.0, 3000.0)]
    assert [one.esr_score for one in figures] == pytest.approx(expected, abs=1e-4)


def test_what_another_meter_measured_of_span_is_not_measured_again(clock: Clock) -> None:
    meter = meter_of()
    meter.span_ms |= {3: 500.0}
    meter.measure_baselines(TINY, 4)
    assert clock.networks == []
    assert meter.measure(SMALL).measured_with["span_ms"] == 500.0


def test_who_does_not_weigh_it_measures_no_span(clock: Clock) -> None:
    meter = meter_of(scores=False)
    meter.measure_baselines(TINY, 4)
    figures = meter.measure(SMALL)
    assert clock.networks == [folded(SMALL)]
    assert figures.esr_score is None
    assert "span_ms" not in figures.measured_with


def test_a_budget_is_predicted_by_latency_and_refused_for_what_was_measured(clock: Clock) -> None:
    roomy, tight = meter_of("1000-esr_score"), meter_of("1.5-esr_score")
    roomy.span_ms |= {3: 1e6}
    check_possible(roomy, TINY, 4)
    assert len(roomy.calibration) == 10
    assert roomy.figure(SMALL, "esr_score") > 1
    assert OBJECTIVES["esr_score"].timed
    clock.networks.clear()
    tight.span_ms |= {3: 2e4}
    with pytest.raises(NotPossible, match=r"takes about 2\.\d esr_score: raise the budget"):
        check_possible(tight, TINY, 4)
