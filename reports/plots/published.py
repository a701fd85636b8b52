"""Published results beneath a search's own networks, all on one test set.

:func:`published_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nas.objectives import OBJECTIVES, Objective
from nas.pareto import front
from nas.records import FINISHED, TrialRecord
from reports.plots.pareto import Panel, ParetoInfo, Point
from reports.published import PublishedResult
from reports.summary import RunSummary
from search_spaces.errors import NothingToDraw

__all__ = ["PublishedInfo", "published_info"]

# Multi-adds are stated for this output, height and width; others cannot stand on one axis.
_STATED_HR = (720, 1280)
_BICUBIC = "Bicubic"
# A wall up to this many times the dearest network is drawn; a farther one is told in words.
_REACH = 3.0
# Of two published points nearer than these shares of the axes, only the better is named.
_NEAR_ACROSS, _NEAR_UP = 0.015, 0.06


class PublishedInfo(NamedTuple):
    """All that the figure says.

    Attributes:
        drawn: the panels. A point with ``published`` is a paper's result and has the number -1;
            the others are the search's own, and so are the front and the search's choice, ``best``.
        caption: in what the two kinds of points differ, one line an entry.
        test_set: that all were measured on.
    """

    drawn: ParetoInfo
    caption: tuple[str, ...]
    test_set: str


def published_info(
    evaluated: Iterable[TrialRecord],
    published: Sequence[PublishedResult],
    summary: RunSummary,
    *,
    chosen: int | None = None,
    missing: int = 0,
) -> PublishedInfo:
    """What the figure of a run's networks among published ones says.

    Args:
        evaluated: finished trials whose ``psnr_y_db`` was measured on the published results'
            test set.
        published: results of one test set at the run's scale. There is a panel for each cost
            that they state; a network that several tables state is named once, at its highest PSNR.
        summary: the run's setting and budgets.
        chosen: number of the trial that the search holds for its best, by its own validation
            photos: to choose by the test set would be to tune on it.
        missing: networks of the run's front that are not evaluated; told in a note.

    Raises:
        NothingToDraw: nothing is evaluated, or the published results state no cost.
    """
    psnr = OBJECTIVES["psnr"]
    own = [r for r in evaluated if r.state == FINISHED and psnr.value(r) is not None]
    sets = {result.test_set for result in published}
    if not own or len(sets) != 1:
        raise NothingToDraw(
            f"the figure needs an evaluated network and the results of one test set: "
            f"got {len(own)} and {', '.join(sorted(sets)) or 'none'}"
        )
    top = next((record for record in own if record.number == chosen), None)
    bicubic = next((r.psnr_db for r in published if r.network == _BICUBIC), None)
    heard = [result for result in published if result.network != _BICUBIC]
    notes = []
    panels = []
    for cost in (OBJECTIVES["params"], OBJECTIVES["macs"]):
        stated = [(r, value) for r in heard if (value := _stated(r, cost, summary)) is not None]
        if not stated:
            continue
        if unstated := list(dict.fromkeys(r.network for r in heard if r not in dict(stated))):
            notes.append(f"{', '.join(unstated)}: no {cost.label.lower()} stated")
        panels.append(_panel(cost, own, stated, top, summary))
    if not panels:
        raise NothingToDraw(
            f"{sets.pop()}: its published results state no cost to draw PSNR-Y against; "
            f"use another test set"
        )
    low, high, below = _psnr_range(own, heard, bicubic)
    if below:
        notes.insert(0, f"{_networks(below)} below {low:.2f} dB at the lower edge")
    named = {point.label for panel in panels for point in panel.published}
    priced = {r.network for r in heard if r.params_k is not None or r.multi_adds_g is not None}
    if unnamed := sorted(priced - named):
        notes.append(f"unnamed beside better or equal ones: {', '.join(unnamed)}")
    if missing:
        notes.append(f"{_networks(missing)} of the front not evaluated")
    (test_set,) = sets
    subtitle = " · ".join(part for part in (summary.setting, f"evaluated on {test_set}") if part)
    title = f"{summary.title or 'Search'}, among published results"
    drawn = ParetoInfo(
        title, subtitle, tuple(panels), bicubic, bicubic is not None, (low, high), tuple(notes)
    )
    return PublishedInfo(drawn, _caption(own), test_set)


def _stated(result: PublishedResult, cost: Objective, summary: RunSummary) -> float | None:
    """A published cost in the objective's shown unit, where it compares with the run's own."""
    if cost.name == "params":
        return result.params_k
    return result.multi_adds_g if summary.hr == _STATED_HR else None


def _panel(
    cost: Objective,
    own: Sequence[TrialRecord],
    stated: Sequence[tuple[PublishedResult, float]],
    top: TrialRecord | None,
    summary: RunSummary,
) -> Panel:
    priced = [(record, value) for record in own if (value := cost.value(record)) is not None]
    points = {
        record.number: Point(
            record.number,
            cost.shown(value),
            float(record.psnr_y_db or 0.0),
            _label(record, record is top, summary),
        )
        for record, value in priced
    }
    papers = _papers(stated)
    efficient = front((record for record, _ in priced), (cost, OBJECTIVES["psnr"]))
    limit = summary.budgets.get(cost.attribute)
    wall = None if limit is None else cost.shown(limit)
    costs = [point.cost for point in (*points.values(), *papers)]
    place = f", {summary.hr[1]}×{summary.hr[0]} output" if cost.name == "macs" else ""
    return Panel(
        cost,
        f"{cost.heading}{place}",
        (*points.values(), *papers),
        tuple(points[record.number] for record in efficient),
        points.get(top.number) if top is not None else None,
        wall,
        "" if limit is None else f"budget {cost.limit_text(limit)}",
        wall is not None and min(costs) / _REACH <= wall <= _REACH * max(costs),
    )


def _papers(stated: Sequence[tuple[PublishedResult, float]]) -> tuple[Point, ...]:
    """Published points, best first. Names for all would hide the points where they crowd."""
    # Of equals the later: papers tabulate a system's parts first and the whole at the end.
    order = sorted(range(len(stated)), key=lambda i: (stated[i][0].psnr_db, i), reverse=True)
    ordered = [stated[i] for i in order]
    costs = [cost for _, cost in ordered]
    # A lone point has no span, nor a neighbour.
    across = math.log(max(costs) / min(costs)) or 1.0
    up = ordered[0][0].psnr_db - ordered[-1][0].psnr_db or 1.0
    named: dict[str, Point] = {}
    points = []
    for result, cost in ordered:
        point = Point(-1, cost, result.psnr_db, published=True)
        crowded = any(
            abs(math.log(other.cost / cost)) < _NEAR_ACROSS * across
            and other.psnr_y_db - point.psnr_y_db < _NEAR_UP * up
            for other in named.values()
        )
        if result.network not in named and not crowded:
            point = point._replace(label=result.network)
            named[result.network] = point
        points.append(point)
    return tuple(points)


def _label(record: TrialRecord, is_best: bool, summary: RunSummary) -> str:
    """The best network and the published designs that the search trained itself have names."""
    name = f"trial {record.number}"
    if record.preset is not None:
        # Told apart from the paper's own result of the same name.
        name = f"{record.preset}{'*' if record.number in summary.adapted else ''}, trained here"
    if is_best:
        return f"best: {name}, {record.psnr_y_db:.2f} dB"
    return name if record.preset is not None else ""


def _psnr_range(
    own: Sequence[TrialRecord], heard: Sequence[PublishedResult], bicubic: float | None
) -> tuple[float, float, int]:
    """Low and high end of the axis, dB, and how many networks lie below it."""
    values = [float(record.psnr_y_db or 0.0) for record in own]
    stated = [result.psnr_db for result in heard]
    high = max(values + stated)
    ground = min(stated if bicubic is None else [*stated, bicubic])
    # A network far below bicubic would squash all that is worth comparing.
    floor = ground - 0.5 * (high - ground)
    shown = [value for value in values if value >= floor]
    low = min([ground, *shown])
    margin = max(0.06 * (high - low), 0.02)
    return low - margin, high + 2 * margin, len(values) - len(shown)


def _caption(own: Sequence[TrialRecord]) -> tuple[str, ...]:
    steps = max((record.train_steps or 0 for record in own), default=0)
    told = f" ({steps:,} steps)" if steps else ""
    return (
        "Trained differently: published systems as their papers state them, after long training "
        "on DIV2K or the sets of their time;",
        f"this search's networks after its short proxy training{told}. "
        f"The gap between the two is not one of design alone.",
    )


def _networks(count: int) -> str:
    return f"{count} network{'' if count == 1 else 's'}"
