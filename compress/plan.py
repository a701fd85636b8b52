"""Which widths fit a budget and keep the most important channels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from compress.widths import Width, with_widths
from search_spaces.architecture import Architecture
from search_spaces.cost import price
from search_spaces.errors import NotPossible
from search_spaces.inner import TRUNK, Place

__all__ = ["FIGURES", "Narrowed", "cost_of", "floor_of", "plan"]

FIGURES = ("params", "macs", "activations")
"""What a budget can limit: the figures that an architecture's price states exactly."""

Scores = Mapping[Place, Sequence[float]]
Chosen = dict[Place, int]

_EVEN = 0.3
_FAR = 0.02


class Narrowed(NamedTuple):
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
) -> Narrowed:
    """The widths that come nearest to ``limit`` from below.

    One threshold on importance for all widths but the trunk's, by bisection; then widths grow
    step by step, the most important channels first, as long as the budget holds. The trunk
    stays as wide as it can without the others falling to less than 0.3 of its share: every
    later layer reads it, and what it loses nothing brings back.

    Args:
        arch: in prunable form.
        widths: of `compress.widths.prunable_widths`.
        scores: importance of the channels of every width, ascending.
        figure: one of `FIGURES`.
        limit: of the figure.
        uniform: shrink all widths by one ratio instead, the trunk's too.

    Raises:
        NotPossible: the limit is below the floor, or above the network's own price.
    """
    own, floor = cost_of(arch, figure), floor_of(arch, widths, figure)
    if limit >= own:
        raise NotPossible(
            f"budget of {limit:,.0f} {figure}: the network has {own:,} already; "
            f"expected less than that"
        )
    if limit < floor:
        raise NotPossible(
            f"budget of {limit:,.0f} {figure}: below the network's floor of {floor:,}; "
            f"expected at least that"
        )

    trunk = next((w for w in widths if w.place == TRUNK), None)
    others = [w for w in widths if w is not trunk]
    if uniform or trunk is None or not others:
        chosen, cost = _fitted(arch, widths, {}, scores, figure, limit, uniform=uniform)
        return Narrowed(chosen, with_widths(arch, chosen), cost)
    best: tuple[float, Chosen, int] | None = None
    wide: int | None = trunk.now
    while wide is not None:
        fixed = {TRUNK: wide}
        if _cost(arch, {**fixed, **{w.place: w.least for w in others}}, figure) <= limit:
            chosen, cost = _fitted(arch, others, fixed, scores, figure, limit)
            shares = sum(chosen[w.place] / w.now for w in others) / len(others)
            evenness = min(_EVEN, shares / (wide / trunk.now))
            if cost < (1 - _FAR) * limit:
                evenness -= 1.0  # a trunk that leaves a gap is the last resort
            if best is None or evenness > best[0]:
                best = evenness, chosen, cost
            if evenness >= _EVEN:
                break
        wide = None if wide <= trunk.least else trunk.at_most(wide - 1)
    assert best is not None  # the floor fits
    return Narrowed(best[1], with_widths(arch, best[1]), best[2])


def _cost(arch: Architecture, chosen: Chosen, figure: str) -> int:
    return cost_of(with_widths(arch, chosen), figure)


def _fitted(
    arch: Architecture,
    widths: Sequence[Width],
    fixed: Chosen,
    scores: Scores,
    figure: str,
    limit: float,
    *,
    uniform: bool = False,
) -> tuple[Chosen, int]:
    """Widths within the limit beside those that are fixed, and the cost of all."""

    def at(threshold: float) -> Chosen:
        if uniform:
            return fixed | {w.place: w.at_most(int((1 - threshold) * w.now)) for w in widths}
        return fixed | {
            w.place: w.at_most(w.now - bisect_left(scores[w.place], threshold)) for w in widths
        }

    def cost(chosen: Chosen) -> int:
        return _cost(arch, chosen, figure)

    every = sorted({score for width in widths for score in scores[width.place]})
    steps = [k / 200 for k in range(201)] if uniform else [*every, every[-1] * 2 + 1]
    first = bisect_left(steps, True, key=lambda threshold: cost(at(threshold)) <= limit)
    return _grown(at(steps[min(first, len(steps) - 1)]), widths, scores, cost, limit)


def _grown(
    chosen: Chosen,
    widths: Sequence[Width],
    scores: Scores,
    cost: Callable[[Chosen], int],
    limit: float,
) -> tuple[Chosen, int]:
    """``chosen`` with widths raised while the cost stays within the limit, and the cost."""
    grown, spent = dict(chosen), cost(chosen)
    sums = {place: [0.0, *accumulate(values)] for place, values in scores.items()}
    open_ = {w.place: w for w in widths}
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
