"""Who goes on to the next rung: asynchronous successive halving over several objectives.

A network that reaches a rung competes there with all that came before, in every objective at
once. Whenever one that waits is among the best ``1 / eta`` it goes on; nobody waits for a rung
to fill (Li et al., "A system for massively parallel hyperparameter tuning", 2020; for several
objectives Schmucker et al., "Multi-objective asynchronous successive halving", 2021). Figures
are rows of floats, less being better in every column.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nas.pareto import non_dominated

__all__ = ["Climber", "best_share", "decisive", "next_promotion", "rung_steps"]

_Points: TypeAlias = npt.NDArray[np.float64]
_Indices: TypeAlias = npt.NDArray[np.intp]

_MOST = 1.5
"""Near-ties included, at most this many times ``1 / eta`` go on."""


@dataclass(frozen=True, slots=True)
class Climber:
    """A network on its way up.

    Attributes:
        point: the figures by which it competes, on every rung, (objectives,); NaN: unknown.
        rungs: how many it has come to.
        waits: whether it is paused at the last of them, free to go on.
    """

    point: tuple[float, ...]
    rungs: int
    waits: bool


def rung_steps(steps: int, rungs: int, eta: float) -> tuple[int, ...]:
    """The steps at which a training pauses, geometric up to all of them: (40, 120, 360)."""
    found = {max(1, round(steps / eta**k)) for k in range(rungs)}
    return tuple(sorted(found))


def next_promotion(
    climbers: Sequence[Climber],
    rungs: int,
    eta: float,
    noise: npt.ArrayLike,
    *,
    among: Container[int] | None = None,
    closing: bool = False,
) -> int | None:
    """The index of the climber that goes on now, from the highest rung on which one may.

    Args:
        climbers: every network that has reached the first rung, in any state, broken ones too.
        rungs: how many there are; from the last one nobody goes on.
        eta: one of so many goes on, more than 1.
        noise: by how much two figures may differ by chance, 0 where they are exact: (objectives,),
            or (climbers, objectives) where it depends on the climber.
        among: whether only some are asked for.
        closing: whether no new network will come: shares are rounded up, and who is on the
            front of its rung goes on as far as near-ties do.
    """
    for rung in reversed(range(rungs - 1)):
        there = [k for k, climber in enumerate(climbers) if climber.rungs > rung]
        here = [climbers[k].waits and climbers[k].rungs == rung + 1 for k in there]
        if not any(here):
            continue
        gone = [k for k, waits in enumerate(here) if not waits]
        points = decisive([climbers[k].point for k in there], here)
        errors = np.asarray(noise, dtype=np.float64)
        errors = errors[there] if errors.ndim == 2 else errors
        for index in best_share(points, eta, errors, gone=gone, closing=closing):
            if here[index] and (among is None or there[index] in among):
                return there[index]
    return None


def decisive(points: npt.ArrayLike, waiting: Sequence[bool]) -> _Points:
    """The points with NaN for each figure that none of the waiting ones knows.

    Some figures only finished networks have: they are to keep nobody from going on.
    """
    matrix = np.array(points, dtype=np.float64)
    if any(waiting):
        matrix[:, np.isnan(matrix[np.array(waiting)]).all(axis=0)] = np.nan
    return matrix


def best_share(
    points: npt.ArrayLike,
    eta: float,
    noise: npt.ArrayLike,
    *,
    gone: Sequence[int] = (),
    closing: bool = False,
) -> list[int]:
    """The rows that belong to the best ``1 / eta`` of (n, objectives) points, best first.

    Whole fronts while they fit. Of the one that does not, first those that are ``gone`` on
    already, then those farthest from all that are taken (the epsilon-net of Schmucker et al.):
    a front's hypervolume comes from its spread. Then those that noise alone may keep out:
    which figures better by less than ``noise`` would put onto the last front taken whole.
    Where half as many again as ``1 / eta`` are gone on, no more do: so eta bounds the cost.
    A figure that is known of no row decides nothing; a row that lacks another one is left out.
    """
    matrix = np.asarray(points, dtype=np.float64)
    count, most = (_share(len(matrix) * factor / eta, closing) for factor in (1.0, _MOST))
    if count < 1 or len(gone) >= most:
        return []
    known = ~np.isnan(matrix).all(axis=0)
    if not known.any():
        return []
    errors = np.broadcast_to(np.asarray(noise, dtype=np.float64), matrix.shape)[:, known]
    matrix = matrix[:, known]
    chosen: list[int] = []
    whole = first = np.array([], dtype=np.intp)
    # Broken ones count in the share, or a rung of many would send on more of the others.
    rest = np.flatnonzero(~np.isnan(matrix).any(axis=1))
    while rest.size and len(chosen) < count:
        best = non_dominated(matrix[rest])
        front, rest = rest[best], rest[~best]
        first = first if first.size else front
        # Who is gone cannot be called back: a place given to another would be one too many.
        ahead = [k for k in gone if k in front]
        spread = ahead + _spread(matrix, chosen + ahead, front)
        if len(chosen) + len(spread) <= count:
            whole = front
        chosen += spread[: count - len(chosen)]
    left_out = _spread(matrix, chosen, first) if closing else []
    further = left_out + _near(matrix, errors, whole)
    return list(dict.fromkeys(chosen + further))[: max(count, most)]


def _share(number: float, closing: bool) -> int:
    # A third of 3 is 1, whatever the last bit says.
    return math.ceil(number - 1e-9) if closing else math.floor(number + 1e-9)


def _spread(matrix: _Points, chosen: Sequence[int], front: _Indices) -> list[int]:
    """The front's rows, each the farthest from all before it and from the chosen ones."""
    # Each objective over its extent, or the unit would say what is far. One infinite figure would
    # make the extent infinite and all others alike.
    finite = np.where(np.isfinite(matrix), matrix, 0.0)
    extent = np.ptp(finite, axis=0)
    scaled = finite / np.where(extent > 0, extent, 1.0)
    # In the figures' order: who came first must not decide. So where nobody is there yet, the best
    # in the first objective begins, and the far end follows.
    rows = sorted(set(front.tolist()) - set(chosen), key=lambda k: tuple(matrix[k]))
    here = scaled[rows]
    to_chosen = np.abs(here[:, None] - scaled[list(chosen)][None]).max(axis=2)
    distance = to_chosen.min(axis=1, initial=np.inf)
    order: list[int] = []
    for _ in rows:
        taken = int(np.argmax(distance))
        order.append(rows[taken])
        # Only the one just taken can have come nearer: no need to compare with all of them again.
        distance = np.minimum(distance, np.abs(here - here[taken]).max(axis=1))
        distance[taken] = -np.inf
    return order


def _near(matrix: _Points, errors: _Points, front: _Indices) -> list[int]:
    """The rows that less than their noise keeps off a front, the nearest first."""
    # Chance bridges a lack in a noisy figure only; a lack in an exact one is a fact.
    noisy = (errors > 0).any(axis=0)
    if not front.size or not noisy.any():
        return []
    rows, others = matrix[:, None], matrix[front][None]
    # A rival that is dearer in an exact figure keeps nobody off: it is another point of the front.
    no_dearer = (others[..., ~noisy] <= rows[..., ~noisy]).all(axis=2)
    # To be dominated by none, a row must be ahead of each in one of the noisy figures.
    with np.errstate(divide="ignore", invalid="ignore"):
        behind = ((rows - others)[..., noisy] / errors[:, None, noisy]).min(axis=2)
    # The rival that is hardest to come up to decides.
    lack = np.where(no_dearer, behind, -np.inf).max(axis=1)
    # How much a row with an unknown figure lacks is unknown.
    lack[np.isnan(matrix).any(axis=1)] = np.inf
    return [int(k) for k in np.argsort(lack, kind="stable") if lack[k] < 1.0]
