"""The front of a run, how much it covers, and its best network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nas.objectives import OBJECTIVES, Objective
from nas.records import FINISHED, TrialRecord
from search_spaces.errors import InputError

__all__ = ["best", "figures", "front", "hypervolume", "non_dominated", "ranked", "within"]

_Points: TypeAlias = npt.NDArray[np.float64]


def figures(records: Iterable[TrialRecord], objectives: Sequence[Objective]) -> _Points:
    """The records' figures as (records, objectives) floats, **less is better** in every column.

    Figures to maximise come negated; unknown or infinite ones are NaN.
    """
    rows = [
        [np.nan if (v := o.value(r)) is None else -v if o.maximize else v for o in objectives]
        for r in records
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(objectives))


def non_dominated(points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which rows of (n, objectives) no other row dominates, less being better.

    A row dominates another when it is nowhere worse and somewhere better, so equal rows
    do not dominate each other: all of them or none are kept. Rows with a NaN are never kept.
    """
    matrix = _matrix(points)
    kept = np.zeros(len(matrix), dtype=np.bool_)
    order = np.lexsort(matrix.T[::-1])
    remaining = order[~np.isnan(matrix[order]).any(axis=1)]
    while remaining.size:
        # Whatever dominates a row sorts before it, so the first one left is on the front.
        first, others = matrix[remaining[0]], matrix[remaining]
        kept[remaining[(others == first).all(axis=1)]] = True
        remaining = remaining[(others < first).any(axis=1)]
    return kept


def front(
    records: Iterable[TrialRecord], objectives: Sequence[Objective]
) -> tuple[TrialRecord, ...]:
    """The finished trials that no other finished trial dominates.

    Trials that lack one of the figures are left out; trials with equal figures all stay.
    They come best first by the first objective, ties by the next ones, then by number.

    Raises:
        InputError: no objectives.
    """
    if not objectives:
        raise InputError("a front needs at least one objective: got none; name one, such as psnr")
    finished = [r for r in records if r.state == FINISHED]
    points = figures(finished, objectives)
    chosen = sorted(
        (tuple(points[i]), finished[i].number, i) for i in np.flatnonzero(non_dominated(points))
    )
    return tuple(finished[i] for *_, i in chosen)


def hypervolume(points: npt.ArrayLike, reference: Sequence[float]) -> float:
    """The volume that (n, objectives) points dominate below a reference point, less being better.

    Exact, by slicing along the last objective (While et al., "A faster algorithm for
    calculating hypervolume", 2006); meant for fronts of hundreds of points in 2 to 4 objectives.
    Points that are not below the reference in every objective add nothing, nor do NaNs.
    The unit is the product of the objectives' units; :func:`figures` gives the orientation.

    Raises:
        InputError: the reference is not finite or has another length than the points.
    """
    corner = np.asarray(reference, dtype=np.float64)
    matrix = _matrix(points, columns=len(corner))
    if not np.isfinite(corner).all() or corner.size == 0:
        raise InputError(f"a hypervolume needs a finite reference point: got {list(corner)}")
    # NaN compares false, so this drops incomplete points as well.
    return _volume(matrix[(matrix < corner).all(axis=1)], corner)


def within(records: Iterable[TrialRecord], budgets: Mapping[str, float]) -> tuple[TrialRecord, ...]:
    """The records whose figures keep to the budgets: attribute -> the highest allowed, inclusive.

    One that lacks a budgeted figure is not known to fit and is left out.
    """

    def fits(record: TrialRecord) -> bool:
        known = ((record.figure(name), limit) for name, limit in budgets.items())
        return all(figure is not None and figure <= limit for figure, limit in known)

    return tuple(record for record in records if fits(record))


def ranked(
    records: Iterable[TrialRecord], budgets: Mapping[str, float] | None = None
) -> tuple[TrialRecord, ...]:
    """The finished trials that keep to the budgets, the highest PSNR-Y first.

    Args:
        records: trials of any state.
        budgets: as of :func:`within`.

    Among equals the one with fewer parameters, then the earlier one. Which one is the best where
    the noise of seeds parts them says :class:`nas.choice.Choice`.
    """
    psnr = OBJECTIVES["psnr"]
    keyed = [
        (-quality, np.inf if record.params is None else record.params, record.number, record)
        for record in within(records, budgets or {})
        if record.state == FINISHED and (quality := psnr.value(record)) is not None
    ]
    return tuple(record for *_, record in sorted(keyed, key=lambda entry: entry[:3]))


def best(
    records: Iterable[TrialRecord], budgets: Mapping[str, float] | None = None
) -> TrialRecord | None:
    """The first of :func:`ranked`, if any."""
    return next(iter(ranked(records, budgets)), None)


def _matrix(points: npt.ArrayLike, columns: int | None = None) -> _Points:
    matrix = np.asarray(points, dtype=np.float64)
    if matrix.size == 0 and matrix.ndim < 2:
        matrix = matrix.reshape(0, columns or 1)
    if matrix.ndim != 2 or columns not in (None, matrix.shape[1]):
        wanted = "objectives" if columns is None else str(columns)
        raise InputError(f"points must have the shape (n, {wanted}): got {matrix.shape}")
    return matrix


def _volume(points: _Points, corner: _Points) -> float:
    """The dominated volume of points that all lie strictly below the corner."""
    points = points[non_dominated(points)]
    if not len(points):
        return 0.0
    points = points[np.argsort(points[:, -1], kind="stable")]
    depths = np.diff(np.append(points[:, -1], corner[-1]))
    if points.shape[1] == 1:
        return float(depths.sum())
    if points.shape[1] == 2:
        reach = corner[0] - np.minimum.accumulate(points[:, 0])
        return float(reach @ depths)
    # Between two neighbours along the last axis, the same points dominate in the others.
    return float(
        sum(
            depth * _volume(points[: i + 1, :-1], corner[:-1])
            for i, depth in enumerate(depths)
            if depth > 0
        )
    )
