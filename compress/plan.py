"""Which widths fit a budget and keep the most important channels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from compress.widths import Place, Width, with_widths
from search_spaces.architecture import Architecture
from search_spaces.cost import price
from search_spaces.errors import InputError

__all__ = ["FIGURES", "Plan", "cost_of", "floor_of", "plan"]

FIGURES = ("params", "macs", "activations")
"""What a budget can limit: the figures that an architecture's price states exactly."""

Scores = Mapping[Place, Sequence[float]]
Chosen = dict[Place, int]

# Nearer to the budget than this, no other width of the trunk is tried.
_NEAR = 0.005


class Plan(NamedTuple):
    """Widths, the architecture that has them, and its cost in the budget's figure."""

    chosen: Chosen
    architecture: Architecture
    cost: int


def cost_of(arch: Architecture, figure: str) -> int:
    """The price of ``arch`` in one of `FIGURES`; at 1280x720 of output."""
    return int(getattr(price(arch), figure))


def floor_of(arch: Architecture, widths: Sequence[Width], figure: str) -> int:
    """What is left when every width stands at its floor."""
    return cost_of(with_widths(arch, {width.place: width.least for width in widths}), figure)


def plan(
    arch: Architecture,
    widths: Sequence[Width],
    scores: Scores,
    figure: str,
    limit: float,
    *,
    uniform: bool = False,
) -> Plan:
    """The widths that come nearest to ``limit`` from below.

    First one threshold on importance for all widths (or, ``uniform``, one ratio), by
    bisection; then widths grow step by step, the most important channels first, as long as
    the budget holds. Where rounding leaves a gap, narrower trunks are tried as well.

    Args:
        arch: in prunable form.
        widths: of `compress.widths.prunable_widths`.
        scores: importance of the channels of every width, ascending.
        figure: one of `FIGURES`.
        limit: of the figure.
        uniform: shrink all widths by one ratio.

    Raises:
        InputError: the limit is below the floor, or above the network's own price.
    """
    own, floor = cost_of(arch, figure), floor_of(arch, widths, figure)
    if limit >= own:
        raise InputError(
            f"budget of {limit:,.0f} {figure}: the network has {own:,} already; "
            f"expected less than that"
        )
    if limit < floor:
        raise InputError(
            f"budget of {limit:,.0f} {figure}: below the network's floor of {floor:,} (a quarter "
            f"of every width, rounded up); expected at least that"
        )

    def at(threshold: float) -> Chosen:
        if uniform:
            return {w.place: w.at_most(int((1 - threshold) * w.now)) for w in widths}
        return {w.place: w.at_most(w.now - bisect_left(scores[w.place], threshold)) for w in widths}

    def cost(chosen: Chosen) -> int:
        return cost_of(with_widths(arch, chosen), figure)

    every = sorted({score for values in scores.values() for score in values})
    steps = [k / 200 for k in range(201)] if uniform else [*every, every[-1] * 2]
    first = bisect_left(steps, True, key=lambda threshold: cost(at(threshold)) <= limit)
    chosen = at(steps[min(first, len(steps) - 1)])
    best = _grown(chosen, widths, scores, cost, limit)
    trunk = next((w for w in widths if w.place == ("channels",)), None)
    while trunk and best[1] < (1 - _NEAR) * limit and chosen[trunk.place] > trunk.least:
        chosen = {**chosen, trunk.place: trunk.at_most(chosen[trunk.place] - 1)}
        other = _grown(chosen, widths, scores, cost, limit, leave=trunk.place)
        # A few narrower trunks at most: the trunk carries everything.
        if other[1] <= best[1]:
            break
        best = other
    return Plan(best[0], with_widths(arch, best[0]), best[1])


def _grown(
    chosen: Chosen,
    widths: Sequence[Width],
    scores: Scores,
    cost: Callable[[Chosen], int],
    limit: float,
    leave: Place | None = None,
) -> tuple[Chosen, int]:
    """``chosen`` with widths raised while the cost stays within the limit, and the cost."""
    grown, spent = dict(chosen), cost(chosen)
    sums = {place: [0.0, *accumulate(values)] for place, values in scores.items()}
    open_ = {w.place: w for w in widths if w.place != leave}
    while open_:
        gains = {}
        for place, width in list(open_.items()):
            above = width.above(grown[place])
            if above is None:
                del open_[place]
                continue
            low, high = width.now - above, width.now - grown[place]
            gains[place] = (sums[place][high] - sums[place][low]) / (high - low)
        if not gains:
            break
        place = max(gains, key=lambda key: gains[key])
        raised = {**grown, place: open_[place].above(grown[place]) or 0}
        cost_raised = cost(raised)
        if cost_raised <= limit:
            grown, spent = raised, cost_raised
        else:
            # The others only grow, so what does not fit now will not fit later.
            del open_[place]
    return grown, spent
