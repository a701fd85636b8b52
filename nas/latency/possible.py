"""Whether any network of a space may fit the budgets: asked before a search begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import inf

import numpy as np

from nas.budget import Budget
from nas.latency.meter import PRICES, Meter
from nas.objectives import OBJECTIVES
from search_spaces import Architecture
from search_spaces.errors import NotPossible
from search_spaces.smallest import descend, smallest
from search_spaces.space import Point, Space

__all__ = ["Possible", "check_possible"]

_UNSURE = 0.9
"""Of what the smallest networks known take in memory or time, others may take so much less."""

_TIGHT = 0.5
"""A budget of which the smallest networks take more: chance may find none that fits."""

_ELSEWHERE = 2
"""So many networks of each other space are measured, the ones that promise most."""


@dataclass(frozen=True, slots=True)
class Possible:
    """What is known of a space's networks within tight budgets.

    Attributes:
        points: the smallest networks, or nearly so, which chance may not find.
        notes: a line for each budget that hardly any network meets, or perhaps none.
    """

    points: tuple[Point, ...] = ()
    notes: tuple[str, ...] = ()


class _Measuring:
    """Counts the networks that are measured, for whoever is told."""

    def __init__(self, meter: Meter, tell: Callable[[int, int], None]) -> None:
        self._meter, self._tell, self._done, self._of = meter, tell, 0, 0

    def expect(self, networks: int) -> None:
        """So many more will be measured at most."""
        self._of += networks
        self._tell(self._done, self._of)

    def figure(self, arch: Architecture, name: str) -> float:
        """What a clock says of a network."""
        measured = getattr(self._meter.measure(arch), OBJECTIVES[name].attribute)
        self._done += 1
        self._tell(self._done, max(self._of, self._done))
        return inf if measured is None else float(measured)

    def end(self) -> None:
        """Those that were not needed are as good as measured."""
        if self._done < self._of:
            self._done = self._of
            self._tell(self._done, self._of)


def check_possible(
    meter: Meter, space: Space, scale: int, tell: Callable[[int, int], None] = lambda done, of: None
) -> Possible:
    """Makes sure that a network of the space may fit each budget.

    A price's least is known for sure; memory and latency are no sums over a network's parts,
    so a budget goes only where several small networks take clearly more, latencies measured.
    Where latency, or what is made of it, has a budget, a spread of networks is measured first, by
    which it is predicted, unless the meter has taken over what another has measured
    (`Meter.take_over`), which has seen to all of this.

    Args:
        meter: with the budgets.
        space: to be searched.
        scale: of its networks.
        tell: called with how many networks are measured, and of how many.

    Raises:
        NotPossible: none can fit one of the budgets; it names the other spaces in which some can.
    """
    if meter.calibration:
        return Possible()
    points: list[Point] = []
    notes: list[str] = []
    measuring = _Measuring(meter, tell)
    if meter.measures and any(OBJECTIVES[one.name].timed for one in meter.budgets):
        spread = list(meter.latency_guess.calibration(space, scale))
        measuring.expect(len(spread))
        meter.calibration = tuple(measuring.figure(arch, "latency") for arch in spread)
    for budget in meter.budgets:
        priced = budget.name in PRICES
        enough = budget.limit * (1.0 if priced else _TIGHT)
        small = _small(meter, budget, space, scale)
        least = _least(meter, budget, space, small, scale, measuring, enough=enough)
        if least <= enough:
            continue
        if not priced:
            points += small
            if least <= budget.limit * _UNSURE:
                continue
        others = " or ".join(
            f"space {name!r}, which goes down to {_readable(budget.name, value)}"
            for name, value in _elsewhere(meter, budget, space, scale, measuring)
        )
        way = f"raise the budget{others and f', or choose {others}'}"
        if priced or least * _UNSURE > budget.limit:
            measuring.end()
            raise NotPossible(
                f"budget {budget.text}: no network of space {space.name!r} at x{scale} fits; "
                f"the smallest one takes {_readable(budget.name, least)}: {way}"
            )
        notes.append(
            f"Budget {budget.text}: hardly any network of space {space.name!r} fits, the smallest "
            f"ones take {_readable(budget.name, least)}; where too few are found, {way}"
        )
    measuring.end()
    return Possible(tuple(points), tuple(notes))


def _small(meter: Meter, budget: Budget, space: Space, scale: int) -> list[Point]:
    """Networks that one would expect to fit a budget first; for a price, the one of least."""
    cost = partial(meter.figure, name=budget.name)
    if budget.name in PRICES:
        return [smallest(space, cost, scale, enough=budget.limit)]
    by_price = [smallest(space, partial(meter.figure, name=name), scale) for name in PRICES]
    every = [*by_price, descend(space, cost, scale)]
    return list({space.architecture(point, scale).hash: point for point in every}.values())


def _least(
    meter: Meter,
    budget: Budget,
    space: Space,
    points: list[Point],
    scale: int,
    measuring: _Measuring,
    *,
    enough: float,
) -> float:
    """The least figure of some networks, measured where a clock says it and there is no model.

    The first one that takes no more than is ``enough`` will do.
    """
    least, measured = inf, OBJECTIVES[budget.name].timed and meter.measures
    if measured:
        measuring.expect(len(points))
    for point in points:
        figure = measuring.figure if measured else meter.figure
        least = min(least, figure(space.architecture(point, scale), budget.name))
        if least <= enough:
            break
    return least


def _elsewhere(
    meter: Meter, budget: Budget, space: Space, scale: int, measuring: _Measuring
) -> Iterator[tuple[str, float]]:
    """Other built-in spaces that have a network within a budget, and how far they go down."""
    if budget.name == "memory":
        # Nobody waits for that.
        return
    cost = partial(meter.figure, name=budget.name)
    for name in Space.names():
        other = Space.load(name)
        if space.luma:
            other = other.on_luma()
        if other.name == space.name:
            continue
        if budget.name in PRICES:
            points = [smallest(other, cost, scale)]
        else:
            small = _small(meter, budget, other, scale)
            costs = [cost(other.architecture(point, scale)) for point in small]
            points = [small[k] for k in np.argsort(costs)[:_ELSEWHERE]]
        least = _least(meter, budget, other, points, scale, measuring, enough=-inf)
        if least <= budget.limit:
            yield other.name, least


def _readable(name: str, value: float) -> str:
    if OBJECTIVES[name].timed:
        return f"about {value:.2g} {OBJECTIVES[name].unit or name}"
    if "" not in OBJECTIVES[name].units:
        return OBJECTIVES[name].text(value)
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if value >= factor:
            return f"{value / factor:.4g}{unit} {name}"
    return f"{value:.0f} {name}"
