"""What networks were worth on the way: PSNR-Y over training steps, rung by rung.

:func:`rungs_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nas.records import FAILED, FINISHED, STOPPED, TrialRecord
from reports.summary import RunSummary
from search_spaces.errors import NothingToDraw

__all__ = ["RungLine", "RungsInfo", "rungs_info"]


class RungLine(NamedTuple):
    """One network's values; ``stopped`` early, or trained to the end."""

    number: int
    steps: tuple[int, ...]
    psnr_y_db: tuple[float, ...]
    stopped: bool


class RungsInfo(NamedTuple):
    """All that the figure says. ``psnr_range_db`` is the axis; lower values run out of it."""

    title: str
    subtitle: str
    lines: tuple[RungLine, ...]
    best: RungLine | None
    bicubic_psnr_y_db: float | None
    psnr_range_db: tuple[float, float]
    baseline: str


def rungs_info(records: Iterable[TrialRecord], summary: RunSummary) -> RungsInfo:
    """What the figure of a run says.

    Raises:
        NothingToDraw: no trial was measured more than once, so there is no line to draw.
    """
    every = tuple(records)
    # A promoted trial's values are those that the later trial of its network begins with.
    over = [record for record in every if record.state in (FINISHED, STOPPED, FAILED)]
    lines = tuple(line for record in over if (line := _line(record)).steps)
    if not any(len(line.steps) > 1 for line in lines):
        raise NothingToDraw(
            "rung curves need trials measured more than once: got none; search with rungs"
        )
    top = summary.choice.best(every)
    chosen = next((line for line in lines if top is not None and line.number == top.number), None)
    stopped = sum(line.stopped for line in lines)
    values = np.concatenate([line.psnr_y_db for line in lines])
    low, high = float(np.quantile(values, 0.02)), float(values.max())
    margin = max(0.05 * (high - low), 0.02)
    floor = summary.bicubic_psnr_y_db
    shown = floor if floor is not None and low - 0.3 * (high - low) <= floor <= high else None
    if shown is not None:
        low = min(low, shown)
    return RungsInfo(
        "What networks were worth on the way",
        f"{len(lines)} networks, {stopped} of them stopped early",
        lines,
        chosen,
        shown,
        (low - margin, high + margin),
        summary.baseline,
    )


def _line(record: TrialRecord) -> RungLine:
    pairs = {r.step: r.psnr_y_db for r in record.rungs if math.isfinite(r.psnr_y_db)}
    if record.state == FINISHED and record.train_steps and record.psnr_y_db is not None:
        pairs[record.train_steps] = record.psnr_y_db
    steps = tuple(sorted(pairs))
    return RungLine(record.number, steps, tuple(pairs[s] for s in steps), record.state == STOPPED)
