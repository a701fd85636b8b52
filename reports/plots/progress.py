"""How fast a search got where it got: the front's hypervolume over trials, time and training.

:func:`progress_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nas.objectives import OBJECTIVES, Objective
from nas.pareto import figures, hypervolume, non_dominated
from nas.records import FAILED, FINISHED, STOPPED, TrialRecord
from reports.account import RunAccount
from search_spaces.errors import NothingToDraw

__all__ = ["AXES", "Course", "ProgressInfo", "progress_info", "trained_steps"]

AXES = ("trials", "steps", "seconds", "clock_s")
"""What hypervolume is drawn over: fields of :class:`Course`."""

_LABELS = {
    "trials": "Networks trained",
    "steps": "Training steps",
    "seconds": "Training time",
    "clock_s": "Time since the start",
}
_TRAINED = (FINISHED, FAILED, STOPPED)


class Course(NamedTuple):
    """One run's way, a value after each trained network; sums since the start of the search.

    ``hypervolume`` is in percent of that of the front of all runs together; ``clock_s`` is
    empty where it is not known when trials ended.
    """

    name: str
    hypervolume: tuple[float, ...]
    trials: tuple[float, ...]
    steps: tuple[float, ...]
    seconds: tuple[float, ...]
    clock_s: tuple[float, ...]


class ProgressInfo(NamedTuple):
    """All that the figure says; ``labels`` names each axis, with its unit in ``units``."""

    title: str
    subtitle: str
    courses: tuple[Course, ...]
    labels: dict[str, str]
    units: dict[str, tuple[str, float]]
    note: str

    def axes(self) -> tuple[str, ...]:
        """The axes for which every run has values."""
        return tuple(axis for axis in AXES if all(getattr(c, axis) for c in self.courses))


def progress_info(accounts: Sequence[RunAccount]) -> ProgressInfo:
    """What the figure of one run or several says.

    The reference point is the budget where there is one, else a little dearer than the dearest
    finished network; for PSNR-Y it is bicubic upscaling, or a little below the worst finished
    network where most are worse than bicubic.
    Of several runs only the objectives count that all of them weigh.

    Raises:
        NothingToDraw: no finished trial in any of the runs.
    """
    objectives = _shared(accounts)
    every = [r for a in accounts for r in a.records if r.state == FINISHED]
    points = figures(every, objectives)
    known = ~np.isnan(points).any(axis=1)
    if not known.any():
        raise NothingToDraw("a hypervolume needs a finished trial: got none; let the search go on")
    corner = _reference(points[known], objectives, accounts)
    whole = hypervolume(points[known], corner)
    courses = tuple(_course(one, objectives, corner, whole) for one in accounts)
    longest = {axis: max((getattr(c, axis) or (0,))[-1] for c in courses) for axis in AXES}
    units = {axis: _unit(axis, longest[axis]) for axis in AXES}
    beyond = ", ".join(
        f"{o.label} {o.text(abs(float(at)))}" for o, at in zip(objectives, corner, strict=True)
    )
    title = "Hypervolume over time and training"
    subtitle = f"Share of the final front's hypervolume in {_listed(objectives)}"
    if len(accounts) > 1:
        subtitle = f"Share of the hypervolume of all runs' front in {_listed(objectives)}"
    return ProgressInfo(title, subtitle, courses, dict(_LABELS), units, f"Reference: {beyond}")


def trained_steps(record: TrialRecord) -> int:
    """Optimiser steps that went into a trial, as far as is known."""
    last = record.rungs[-1].step if record.rungs else 0
    return max(record.train_steps or 0, last)


def _trained_seconds(record: TrialRecord) -> float:
    last = record.rungs[-1].seconds if record.rungs else 0.0
    return max(record.train_seconds or 0.0, last)


def _shared(accounts: Sequence[RunAccount]) -> tuple[Objective, ...]:
    common = set.intersection(*(set(a.summary.objectives) for a in accounts))
    if len(common) < 2:
        common = {"psnr", "params"}
    return tuple(one for name, one in OBJECTIVES.items() if name in common)


def _reference(
    points: npt.NDArray[np.float64],
    objectives: Sequence[Objective],
    accounts: Sequence[RunAccount],
) -> list[float]:
    corner = []
    for column, one in enumerate(objectives):
        values = points[:, column]
        worst = float(values.max())
        # A tenth of their span beyond the worst: it counts a little, and does not rule.
        at = worst + (0.1 * (worst - float(values.min())) or 0.01 * (abs(worst) or 1.0))
        if one.name == "psnr":
            floors = [a.summary.bicubic_psnr_y_db for a in accounts]
            bicubic = [-value for value in floors if value is not None]
            if bicubic and float(np.median(values)) < max(bicubic):
                at = max(bicubic)
        elif not one.maximize:
            walls = [a.summary.budgets.get(one.attribute) for a in accounts]
            if all(wall is not None for wall in walls):
                # A hair beyond: a network that uses up its budget counts.
                at = 1.0001 * max(wall for wall in walls if wall is not None)
        corner.append(at)
    return corner


def _course(
    account: RunAccount, objectives: Sequence[Objective], corner: Sequence[float], whole: float
) -> Course:
    ended = account.ended_s
    trained = [r for r in account.records if r.state in _TRAINED]
    clocked = bool(trained) and all(r.number in ended for r in trained)
    trained.sort(key=lambda r: (ended[r.number] if clocked else 0.0, r.number))
    points = figures(trained, objectives)
    reached, covered = np.empty((0, len(objectives))), 0.0
    shares = []
    for record, point in zip(trained, points, strict=True):
        if record.state == FINISHED and not np.isnan(point).any():
            joined = np.vstack([reached, point])
            kept = joined[non_dominated(joined)]
            if len(kept) != len(reached) or not np.array_equal(kept, reached):
                reached, covered = kept, hypervolume(kept, corner)
        shares.append(100.0 * covered / whole if whole > 0 else 0.0)
    steps = np.cumsum([trained_steps(r) for r in trained])
    seconds = np.cumsum([_trained_seconds(r) for r in trained])
    return Course(
        account.name,
        tuple(shares),
        tuple(float(i + 1) for i in range(len(trained))),
        tuple(float(s) for s in steps),
        tuple(round(float(s), 3) for s in seconds),
        tuple(round(ended[r.number], 3) for r in trained) if clocked else (),
    )


def _unit(axis: str, longest: float) -> tuple[str, float]:
    """The unit that an axis is shown in, and how many of the field's own it holds."""
    if axis == "trials":
        return "", 1.0
    if axis == "steps":
        return ("K", 1e3) if longest >= 20_000 else ("", 1.0)
    if longest >= 2 * 3600:
        return "h", 3600.0
    return ("min", 60.0) if longest >= 180 else ("s", 1.0)


def _listed(objectives: Sequence[Objective]) -> str:
    *others, last = [one.label for one in objectives]
    return f"{', '.join(others)} and {last}" if others else last
