"""What networks that stopped early would be worth at the end, as far as the others tell.

Large networks gain more after the first rungs than small ones do, and a high figure at an early
rung is in part luck. So the gain from each rung to the next one is a line in the network's size
and in its figure at that rung, fitted on those that went on and drawn towards the mean gain
where these are few (ridge regression). Who goes on is chosen by nothing else, so the choice
does not bend the line.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nas.records import FAILED, TrialRecord

__all__ = ["final_figures"]

_RIDGE = 2.0
"""The line is drawn to the mean as if by so many networks more that have the mean gain."""


def final_figures(
    records: Sequence[TrialRecord], name: str, steps: Sequence[int]
) -> list[float | None]:
    """Each record's figure at the last rung, estimated from its last one.

    Args:
        records: of any state; those that failed or have no rung get ``None``.
        name: a figure of the rungs, such as ``"psnr_y_db"``; one of one's own that is known at the
            last rung alone is estimated of nobody.
        steps: of the rungs.
    """
    curves = [{rung.step: rung.figure(name) for rung in r.rungs} for r in records]
    sizes = np.array([math.log(record.params or 1) for record in records])
    figures = np.array([[curve.get(step, math.nan) for step in steps] for curve in curves])
    figures = figures.reshape(len(records), len(steps))
    reached = ~np.isnan(figures)
    for before, after in itertools.pairwise(range(len(steps))):
        # What is estimated already teaches nothing.
        both = reached[:, before] & reached[:, after]
        missing = np.isnan(figures[:, after]) & ~np.isnan(figures[:, before])
        gain = _line(sizes, figures[:, before], figures[:, after] - figures[:, before], both)
        figures[missing, after] = figures[missing, before] + gain[missing]
    last = figures[:, -1]
    return [
        None if record.state == FAILED or math.isnan(value) else float(value)
        for record, value in zip(records, last, strict=True)
    ]


def _line(
    sizes: npt.NDArray[np.float64],
    figures: npt.NDArray[np.float64],
    gains: npt.NDArray[np.float64],
    known: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]:
    """The gain of every network by the line through those that are known."""
    if not known.any():
        return np.zeros(len(gains))
    mean = float(gains[known].mean())
    columns = np.column_stack([sizes, figures])
    centre, spread = columns[known].mean(axis=0), columns[known].std(axis=0)
    scaled = (columns - centre) / np.where(spread > 1e-9, spread, np.inf)
    features = scaled[known]
    slope = np.linalg.solve(
        features.T @ features + _RIDGE * np.eye(2), features.T @ (gains[known] - mean)
    )
    # A little beyond what was seen, no farther.
    return np.asarray(mean + np.clip(scaled, -3.0, 3.0) @ slope)
