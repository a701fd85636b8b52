"""The way that compression took: each step's network, over the front it started from.

:func:`compression_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nas.objectives import OBJECTIVES, Objective
from nas.pareto import front
from nas.records import FINISHED, TrialRecord
from reports.summary import RunSummary
from search_spaces.errors import NothingToDraw

__all__ = ["CompressionInfo", "PathPanel", "PathPoint", "compression_info", "step_name"]

_COSTS = ("params", "macs", "latency")


class PathPoint(NamedTuple):
    """One network on the way; ``cost`` in the panel's shown unit, ``step`` counts from 0.

    One that was not ``kept`` was measured and found no gain: the path goes by it.
    """

    trial: int
    step: int
    label: str
    cost: float
    psnr_y_db: float
    kept: bool


class PathPanel(NamedTuple):
    """PSNR-Y against one cost: a path for each network, and the run's front beneath them."""

    objective: Objective
    axis_label: str
    points: tuple[PathPoint, ...]
    front: tuple[tuple[float, float], ...]
    wall: float | None

    @property
    def paths(self) -> tuple[tuple[PathPoint, ...], ...]:
        """What was kept, in order, for each network that was compressed."""
        trials = dict.fromkeys(point.trial for point in self.points)
        return tuple(tuple(p for p in self.points if p.trial == t and p.kept) for t in trials)


class CompressionInfo(NamedTuple):
    """All that the figure says."""

    title: str
    subtitle: str
    panels: tuple[PathPanel, ...]


def compression_info(
    compressed: Iterable[TrialRecord], records: Iterable[TrialRecord], summary: RunSummary
) -> CompressionInfo:
    """What the figure of a run says.

    Args:
        compressed: the networks that compression made, in order; ``number`` is the trial that
            each came from, ``source`` names the step, and a rejected one was not kept.
        records: the run's own trials, whose front is drawn beneath.
        summary: the run's setting and budgets.

    Raises:
        NothingToDraw: no compressed network with a PSNR-Y and a cost.
    """
    steps = [r for r in compressed if OBJECTIVES["psnr"].value(r) is not None]
    every = tuple(records)
    panels = tuple(
        panel
        for name in _COSTS
        if (panel := _panel(OBJECTIVES[name], steps, every, summary)).points
    )
    if not panels:
        raise NothingToDraw("a compression path needs a compressed network with a PSNR-Y: got none")
    count = sum(record.state == FINISHED for record in steps)
    return CompressionInfo(
        "The compression path",
        f"{count} network{'' if count == 1 else 's'} on the way from the search's, over its front",
        panels,
    )


def _panel(
    cost: Objective,
    steps: Sequence[TrialRecord],
    records: Iterable[TrialRecord],
    summary: RunSummary,
) -> PathPanel:
    points = tuple(
        PathPoint(
            record.number, index, step_name(record), cost.shown(value),
            float(record.psnr_y_db or 0.0), record.state == FINISHED,
        )
        for index, record in enumerate(steps)
        if (value := cost.value(record)) is not None
    )  # fmt: skip
    known = [r for r in records if r.state == FINISHED and cost.value(r) is not None]
    beneath = sorted(
        (cost.shown(cost.value(r) or 0.0), float(r.psnr_y_db or 0.0))
        for r in front(known, (cost, OBJECTIVES["psnr"]))
    )
    limit = summary.budgets.get(cost.attribute)
    reach = max((p.cost for p in points), default=0.0)
    wall = None if limit is None or cost.shown(limit) > 2 * reach else cost.shown(limit)
    return PathPanel(cost, cost.heading, points, tuple(beneath), wall)


def step_name(record: TrialRecord) -> str:
    """``compressed:prune`` as a person says it."""
    kind, _, name = record.source.partition(":")
    return (name or kind).replace("_", " ")
