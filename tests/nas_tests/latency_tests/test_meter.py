"""What networks cost, and which ones stay within budgets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nas.explore.settings import make_settings
from nas.latency.meter import Meter
from nas.latency.possible import check_possible
from search_spaces import Space, price
from search_spaces.space import Point

SPACE = Space.load("distillation")
ARCH = SPACE.architecture(SPACE.starting_points["rfdn"], 4)


def meter_of(budgets: Sequence[str]) -> Meter:
    settings = make_settings(budgets, latency_size=(45, 80))
    return Meter(settings.budget, settings.hr, settings.latency_lr, "cpu")


def test_a_budget_is_met_by_equality() -> None:
    params = price(ARCH).params
    assert meter_of([f"{params}-params"]).fits(ARCH)
    assert not meter_of([f"{params - 1}-params"]).fits(ARCH)
    assert meter_of([f"{params}-params"]).excess(ARCH) == {"params": 0.0}


def test_every_budget_counts() -> None:
    assert meter_of(["600K-params", "40G-macs"]).fits(ARCH)
    assert not meter_of(["600K-params", "1G-macs"]).fits(ARCH)


def test_without_budgets_everything_fits() -> None:
    assert meter_of([]).fits(ARCH)


def test_latencies_are_predicted_on_the_safe_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.latency.clock._AGAIN", 0)
    tiny, meter = Space.load("tiny"), meter_of(["1s-latency"])
    check_possible(meter, tiny, 4)
    point: Point = {"family": "none", "attention": "none", "blocks": 2, "channels": 16}
    arch = tiny.architecture(point, 4)
    measured = meter.measure(arch)
    assert measured.latency_ms is not None
    assert measured.latency_min_ms is not None
    assert 0.3 < meter.figure(arch, "latency") / measured.latency_ms < 3
    assert measured.latency_min_ms <= measured.latency_ms
    assert measured.params == price(arch).params
