"""PSNR-Y against what a network costs: the trials, the front, the budgets, the published systems.

:func:`pareto_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nas.objectives import OBJECTIVES, Objective
from nas.pareto import best, front
from nas.records import FINISHED, TrialRecord
from reports.alike import alike
from reports.kinds import kinds_of_blocks
from reports.summary import RunSummary
from search_spaces.errors import InputError, NothingToDraw

__all__ = ["PANELS", "Panel", "ParetoInfo", "Point", "pareto_info"]

PANELS = ("params", "macs", "latency")
"""The costs that PSNR-Y is always drawn against."""

# What lies this far outside the points' span (in spans) would squash them: it is told in words.
_REACH_ACROSS, _REACH_DOWN = 1.0, 0.5


class Point(NamedTuple):
    """One trial in one panel; ``cost`` in the panel's shown unit, ``label`` empty for most.

    ``kind`` is that of its blocks.
    """

    number: int
    cost: float
    psnr_y_db: float
    label: str = ""
    published: bool = False
    adapted: bool = False
    kind: str = ""


class Panel(NamedTuple):
    """PSNR-Y against one cost, in the unit that people read.

    ``front`` is the front within this plane, cheapest first; ``wall`` is the budget, and
    ``wall_drawn`` whether it is near enough to the points to be drawn; ``compressed`` holds,
    for each network that was compressed, its own point and those of what was made of it.
    """

    objective: Objective
    axis_label: str
    points: tuple[Point, ...]
    front: tuple[Point, ...]
    best: Point | None
    wall: float | None
    wall_label: str
    wall_drawn: bool
    compressed: tuple[tuple[Point, ...], ...] = ()

    @property
    def published(self) -> tuple[Point, ...]:
        """The published systems among the points."""
        return tuple(point for point in self.points if point.published)

    @property
    def others(self) -> tuple[Point, ...]:
        """The points that are neither on the front nor published systems."""
        front = {point.number for point in self.front}
        return tuple(p for p in self.points if p.number not in front and not p.published)


class ParetoInfo(NamedTuple):
    """All that the figure says. ``psnr_range_db`` is the axis; lower trials are told in words.

    ``noise_db`` is the band below the highest PSNR-Y, (low, high) dB, in which seeds alone may
    part networks from it; None where the noise is unknown. ``kinds`` are those of the networks'
    blocks, the commonest first; none where all are alike.
    """

    title: str
    subtitle: str
    panels: tuple[Panel, ...]
    bicubic_psnr_y_db: float | None
    bicubic_drawn: bool
    psnr_range_db: tuple[float, float]
    notes: tuple[str, ...]
    noise_db: tuple[float, float] | None = None
    kinds: tuple[str, ...] = ()
    baseline: str = "bicubic"


def pareto_info(
    records: Iterable[TrialRecord],
    summary: RunSummary,
    costs: Sequence[str] | None = None,
    compressed: Iterable[TrialRecord] = (),
) -> ParetoInfo:
    """What the figure of a run says.

    Args:
        records: trials of any state; those finished with a finite PSNR-Y are drawn.
        summary: the run's setting, budgets and references.
        costs: names of the objectives to draw PSNR-Y against, one panel each; by default the usual
            ones and all that are weighed or limited. A cost that no trial has gets no panel, but a
            note.
        compressed: what compression made of trials, in order; the number of each is that of
            the trial that it came from, the source names its step. What was not kept, or was
            only on the way to a better one of the same shape, is not drawn.

    Raises:
        NothingToDraw: no trial to draw, or none of the costs is known.
        InputError: an unknown cost.
    """
    if costs is None:
        weighed = [*summary.weighed, *(one for one, _ in summary.walls)]
        costs = list(dict.fromkeys([*PANELS, *(o.name for o in weighed if not o.maximize)]))
    unknown = [name for name in costs if name not in OBJECTIVES or OBJECTIVES[name].maximize]
    if unknown:
        known = ", ".join(name for name, one in OBJECTIVES.items() if not one.maximize)
        raise InputError(f"cannot draw PSNR against {unknown[0]!r}: use one of {known}")
    psnr, every = OBJECTIVES["psnr"], tuple(records)
    finished = [r for r in every if r.state == FINISHED and psnr.value(r) is not None]
    if not finished:
        raise NothingToDraw(
            f"a Pareto plot needs at least one finished trial with a PSNR: got none among "
            f"{len(every)} trials; let the search finish one"
        )
    top = summary.choice.best(finished) or best(finished)
    assert top is not None
    paths = _paths(compressed, {record.number: record for record in finished})
    made = [record for path in paths for record in path[1:]]
    low, high, below = _psnr_range([float(r.psnr_y_db or 0) for r in (*finished, *made)])
    bicubic = summary.bicubic_psnr_y_db
    drawn = bicubic is not None and low - _REACH_DOWN * (high - low) <= bicubic <= high
    notes = []
    if below:
        notes.append(f"{_count(below, 'trial')} below {low:.2f} dB at the lower edge")
    if bicubic is not None and drawn:
        low = min(low, bicubic - 0.06 * (high - low))
    elif bicubic is not None:
        gain = float(top.psnr_y_db or 0) - bicubic
        beside = f"against {summary.baseline} ({bicubic:.2f} dB, off the axis)"
        notes.append(f"best trial {gain:+.2f} dB {beside}")
    rivals = alike(finished, summary)
    notes += [f"beside the best, {one.text()}" for one in rivals]
    highest = summary.choice.highest(finished)
    band = None
    if highest is not None and highest.psnr_y_db is not None and summary.noise_db > 0:
        band = highest.psnr_y_db - summary.choice.margin_db, highest.psnr_y_db
    same = frozenset(one.other.number for one in rivals if one.within)
    panels = []
    for one in (OBJECTIVES[name] for name in costs):
        measured = [r for r in finished if one.value(r) is not None]
        if len(measured) < len(finished):
            lacking = "no trial" if not measured else f"{len(measured)} of {len(finished)} trials"
            notes.append(f"{one.label.lower()} known for {lacking}")
        if measured:
            panels.append(_panel(one, measured, top, summary, paths, same))
    if not panels:
        raise NothingToDraw(f"no finished trial has any of {', '.join(costs)}: draw other costs")
    if any(point.adapted for panel in panels for point in panel.points):
        notes.append("* published system adapted to the space")
    title = summary.title or "Search"
    trials = f"{_count(len(finished), 'trained network')}"
    smaller = f"{len(paths)} compressed" if paths else ""
    subtitle = " · ".join(part for part in (summary.setting, trials, smaller) if part)
    return ParetoInfo(
        title, subtitle, tuple(panels), bicubic, drawn, (low, high), tuple(notes), band,
        kinds_of_blocks(finished), summary.baseline,
    )  # fmt: skip


def _paths(
    compressed: Iterable[TrialRecord], trials: Mapping[int, TrialRecord]
) -> list[list[TrialRecord]]:
    """For each compressed trial that is drawn: itself, then what was made of it, in order."""
    paths: dict[int, list[TrialRecord]] = {}
    for record in compressed:
        if record.state != FINISHED or record.number not in trials or record.psnr_y_db is None:
            continue
        path = paths.setdefault(record.number, [trials[record.number]])
        # int8 has the shape of the network before it, but is another point.
        same = record.architecture_hash == path[-1].architecture_hash
        if same and not record.source.endswith(":int8"):
            if len(path) > 1:
                path[-1] = record
        else:
            path.append(record)
    return [path for path in paths.values() if len(path) > 1]


def _panel(
    cost: Objective,
    measured: Sequence[TrialRecord],
    top: TrialRecord,
    summary: RunSummary,
    paths: Sequence[Sequence[TrialRecord]],
    same: frozenset[int],
) -> Panel:
    def point(record: TrialRecord) -> Point:
        adapted = record.preset is not None and record.number in summary.adapted
        label = f"{record.preset}{'*' if adapted else ''}" if record.preset else ""
        if record.number == top.number:
            label = f"best: {label or f'trial {record.number}'}, {record.psnr_y_db:.2f} dB"
        elif record.number in same:
            label = f"{label or f'trial {record.number}'}, as good"
        at = cost.shown(cost.value(record) or 0.0), float(record.psnr_y_db or 0.0)
        published = record.preset is not None
        return Point(record.number, *at, label, published, adapted, record.blocks)

    points = tuple(point(record) for record in measured)
    efficient = {r.number for r in front(measured, (cost, OBJECTIVES["psnr"]))}
    on_front = sorted(
        (p for p in points if p.number in efficient), key=lambda p: (p.cost, p.number)
    )
    limit = summary.budgets.get(cost.attribute)
    wall = None if limit is None else cost.shown(limit)
    low, high = min(p.cost for p in points), max(p.cost for p in points)
    # A single point has no span; its own cost is the measure of near then.
    near = high + _REACH_ACROSS * ((high - low) or high)
    place = summary.latency_at if cost.timed else ""
    if cost.name in ("macs", "activations", "memory"):
        place = f"{summary.hr[1]}×{summary.hr[0]} output"
    axis_label = cost.heading + (f", {place}" if place else "")
    return Panel(
        cost,
        axis_label,
        points,
        tuple(on_front),
        next((p for p in points if p.number == top.number), None),
        wall,
        "" if limit is None else f"budget {cost.limit_text(limit)}",
        wall is not None and wall <= near,
        tuple(
            tuple(
                Point(r.number, cost.shown(cost.value(r) or 0.0), float(r.psnr_y_db or 0.0))
                for r in path
                if cost.value(r) is not None
            )
            for path in paths
        ),
    )


def _psnr_range(values: Sequence[float]) -> tuple[float, float, int]:
    """Low and high end of the axis, dB, and how many values lie below it.

    A trial that trained badly would squash the front; the axis ends three quartile distances
    below the lower quartile, which for good runs is below every trial.
    """
    ordered = np.sort(np.asarray(values))
    lower, upper = np.quantile(ordered, [0.25, 0.75])
    fence = lower - 3 * max(upper - lower, 0.05)
    shown = ordered[ordered >= fence]
    margin = max(0.07 * float(shown[-1] - shown[0]), 0.02)
    return float(shown[0]) - margin, float(shown[-1]) + 2 * margin, int((ordered < fence).sum())


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
