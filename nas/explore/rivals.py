"""By which figures networks compete at a rung, and by how much these err."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nas.explore.halving import best_share
from nas.explore.settings import SearchSettings
from nas.explore.view import estimates
from nas.objectives import OBJECTIVES
from nas.store.ledger import Entry, Standing

__all__ = ["errors", "points_of", "ranking"]


def ranking(standing: Standing, settings: SearchSettings, rung: int) -> list[Entry]:
    """Every network that has come to a rung, those first that would be promoted first."""
    entries = [entry for entry in standing.entries if entry.begun and entry.record.rungs]
    points = points_of(entries, settings)
    there = [k for k, entry in enumerate(entries) if len(entry.record.rungs) > rung]
    exact = [0.0] * len(settings.objectives)
    return [entries[there[k]] for k in best_share([points[k] for k in there], 1.0, exact)]


def errors(
    points: Sequence[Sequence[float]], settings: SearchSettings
) -> list[list[float]] | list[float]:
    """By how much seeds, or the clock, may part two networks that are alike, in each objective.

    That of a latency is a share of it, and so each network's own; a fitted model's latency is
    the same whenever it is asked.
    """
    exact = {"latency"} if settings.latency_model is not None else set()
    names = settings.objectives

    def between(name: str, figure: float) -> float:
        return 0.0 if name in exact else settings.noise.between(name, figure)

    if "latency" not in set(names) - exact:
        return [between(name, 0.0) for name in names]
    return [[between(n, figure) for n, figure in zip(names, p, strict=True)] for p in points]


def points_of(entries: Sequence[Entry], settings: SearchSettings) -> list[tuple[float, ...]]:
    """The objectives as they are estimated for the end, less being better; unknown ones NaN.

    On the same footing for all, a network at its first rung competes with one that has finished.
    """
    records = [entry.record for entry in entries]
    signs = [-1.0 if OBJECTIVES[name].maximize else 1.0 for name in settings.objectives]
    unknown = (math.nan,) * len(signs)
    return [
        unknown if row is None else tuple(s * v for s, v in zip(signs, row, strict=True))
        for row in estimates(records, settings.objectives, settings.rung_steps)
    ]
