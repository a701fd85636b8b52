"""By which figures networks compete at a rung, and by how much these err."""

from __future__ import annotations

from collections.abc import Sequence

from nas.explore.halving import best_share, decisive
from nas.explore.sampler_view import final_objectives
from nas.explore.settings import SearchSettings
from nas.objectives import OBJECTIVES
from nas.records import STOPPED
from nas.store.ledger import Entry, Standing

__all__ = ["errors", "points_of", "ranking"]


def ranking(standing: Standing, settings: SearchSettings, rung: int) -> list[Entry]:
    """Every network that has come to a rung, those first that would be promoted first."""
    entries = [entry for entry in standing.entries if entry.begun and entry.record.rungs]
    points = points_of(entries, settings)
    there = [k for k, entry in enumerate(entries) if len(entry.record.rungs) > rung]
    stopped = [
        entries[k].record.state == STOPPED and len(entries[k].record.rungs) == rung + 1
        for k in there
    ]
    matrix = decisive([points[k] for k in there], stopped)
    exact = [0.0] * len(settings.objectives)
    return [entries[there[k]] for k in best_share(matrix, 1.0, exact)]


def errors(
    points: Sequence[Sequence[float]], settings: SearchSettings
) -> list[list[float]] | list[float]:
    """By how much seeds, or the clock, may part two networks that are alike, in each objective.

    Where that is a share of the figure, as of a latency, it is each network's own; a
    fitted model's latency is the same whenever it is asked.
    """
    names = settings.objectives
    timed = {name for name in names if OBJECTIVES[name].timed}
    exact = timed if settings.latency_model is not None else set()

    def between(name: str, figure: float) -> float:
        return 0.0 if name in exact else settings.noise.between(name, figure)

    if all(OBJECTIVES[name].noise_share_of is None for name in set(names) - exact):
        return [between(name, 0.0) for name in names]
    return [[between(n, figure) for n, figure in zip(names, p, strict=True)] for p in points]


def points_of(entries: Sequence[Entry], settings: SearchSettings) -> list[tuple[float, ...]]:
    """The objectives as they are estimated for the end, less being better; unknown ones NaN.

    On the same footing for all, a network at its first rung competes with one that has finished.
    """
    records = [entry.record for entry in entries]
    signs = [-1.0 if OBJECTIVES[name].maximize else 1.0 for name in settings.objectives]
    rows = final_objectives(records, settings.objectives, settings.rung_steps)
    return [tuple(s * v for s, v in zip(signs, row, strict=True)) for row in rows]
