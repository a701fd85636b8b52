"""Budgets that no network can meet are refused, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nas.explore.settings import make_settings
from nas.latency.meter import Figures, Meter
from search_spaces import Architecture, Space
from search_spaces.errors import NotPossible

TINY = Space.load("tiny")


def meter_of(budget: str, kind: type[Meter] = Meter) -> Meter:
    return kind(make_settings([budget]).budget, (72, 128), (8, 8), "cpu")


@pytest.mark.parametrize("name", ["params", "macs", "activations", "memory"])
def test_what_one_network_meets_is_not_refused(name: str) -> None:
    unlimited = meter_of("1G-params")
    every = [TINY.architecture(TINY.least(labels)) for labels in TINY.combinations()]
    least = min(unlimited.figure(arch, name) for arch in every)
    unit, factor, clearly = ("KB-memory", 1e3, 0.85) if name == "memory" else (f"-{name}", 1, 1)
    meter_of(f"{least * factor:.3f}{unit}").check_possible(TINY, 4)
    with pytest.raises(NotPossible, match="no network of space 'tiny' at x4 fits"):
        meter_of(f"{least * factor * clearly - 1:.3f}{unit}").check_possible(TINY, 4)


class Faster(Meter):
    """Networks that take 5 ms, of which far more is predicted."""

    def figure(self, arch: Architecture, name: str) -> float:
        return 100.0 if name == "latency" else super().figure(arch, name)

    def measure(self, arch: Architecture) -> Figures:
        return replace(self.prices(arch), latency_ms=5.0, measured_with={"median_ms": 5.0})


def test_a_latency_is_refused_for_what_was_measured() -> None:
    meter_of("5ms-latency", Faster).check_possible(TINY, 4)
    with pytest.raises(NotPossible, match="the smallest one takes about 5 ms"):
        meter_of("4ms-latency", Faster).check_possible(TINY, 4)
