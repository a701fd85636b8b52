"""Measured latency against multi-adds: how far counting tells what a network takes.

:func:`latency_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nas.objectives import OBJECTIVES
from nas.pareto import front
from nas.records import FINISHED, TrialRecord
from reports.summary import RunSummary
from search_spaces.errors import NothingToDraw

__all__ = ["LatencyInfo", "LatencyPoint", "latency_info"]


class LatencyPoint(NamedTuple):
    """One measured network, in shown units: G multi-adds and ms."""

    number: int
    macs_g: float
    latency_ms: float
    on_front: bool
    is_best: bool


class LatencyInfo(NamedTuple):
    """All that the figure says.

    Attributes:
        title: the figure's.
        subtitle: how the two figures agree.
        points: one a network, front and best last.
        axis_labels: of multi-adds and of latency, with units.
        kendall_tau: agreement of the two rankings, -1..1.
        wall_ms: the latency budget, if there is one near the points.
        wall_g: the budget of multi-adds, likewise.
    """

    title: str
    subtitle: str
    points: tuple[LatencyPoint, ...]
    axis_labels: tuple[str, str]
    kendall_tau: float | None
    wall_ms: float | None
    wall_g: float | None


def latency_info(records: Iterable[TrialRecord], summary: RunSummary) -> LatencyInfo:
    """What the figure of a run says.

    Raises:
        NothingToDraw: fewer than two networks have both figures.
    """
    every = tuple(records)
    macs, latency = OBJECTIVES["macs"], OBJECTIVES["latency"]
    both = [
        r for r in every
        if r.state == FINISHED and macs.value(r) is not None and latency.value(r) is not None
    ]  # fmt: skip
    if len(both) < 2:
        raise NothingToDraw(
            f"latency against multi-adds needs two measured networks: got {len(both)}"
        )
    chosen = {record.number for record in front(every, summary.weighed)}
    top = summary.choice.best(every)
    points = [
        LatencyPoint(
            r.number, macs.shown(macs.value(r) or 0.0), latency.shown(latency.value(r) or 0.0),
            r.number in chosen, top is not None and r.number == top.number,
        )
        for r in both
    ]  # fmt: skip
    points.sort(key=lambda p: (p.is_best, p.on_front, p.number))
    xs, ys = np.array([p.macs_g for p in points]), np.array([p.latency_ms for p in points])
    tau = _kendall_tau(xs, ys)
    told = "all equal" if tau is None else f"rankings agree with Kendall's tau = {tau:.2f}"
    return LatencyInfo(
        "Latency against multi-adds",
        f"{len(points)} networks, {told}",
        tuple(points),
        (
            f"Multi-Adds [G], {summary.hr[1]}×{summary.hr[0]} output",
            f"Latency [ms]{f', {summary.latency_at}' if summary.latency_at else ''}",
        ),
        tau,
        _near(summary.budgets.get("latency_ms"), ys, 1.0),
        _near(summary.budgets.get("macs"), xs, macs.divisor),
    )


def _near(limit: float | None, values: npt.NDArray[np.float64], divisor: float) -> float | None:
    if limit is None or limit / divisor > 2 * float(values.max()):
        return None
    return limit / divisor


def _kendall_tau(xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64]) -> float | None:
    """Kendall's tau-b (Biometrika 1945: ties count for neither side); None without an order."""
    one = np.sign(xs[:, None] - xs[None, :])
    other = np.sign(ys[:, None] - ys[None, :])
    pairs = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / pairs if pairs else None
