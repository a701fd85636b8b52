"""How well one figure orders networks as another does.

Pure functions on arrays. A network whose figure is NaN (its training diverged) is taken for
worse than all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator

from search_spaces.errors import InputError

__all__ = [
    "Estimate",
    "Figure",
    "estimate",
    "interval",
    "recall_count",
    "replicates",
    "tau_weights",
    "top_recall",
]

Values = npt.NDArray[np.float64]
_LEVEL = 0.9

_AT_ONCE = 2_000_000
"""Pairs of networks, over samples, that are looked at together: bounds the memory."""


def _known(value: Any) -> Any:
    return math.nan if value is None else value


Figure: TypeAlias = Annotated[float, BeforeValidator(_known)]
"""A figure that is NaN where it is not known, which JSON writes as null."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 90% bootstrap interval; NaN where there is too little to say it."""

    value: Figure
    low: Figure
    high: Figure


def tau_weights(first: npt.ArrayLike, second: npt.ArrayLike, weights: Values) -> Values:
    """Kendall's tau-b: (concordant - discordant) pairs, over those that either one orders.

    Kendall, "The treatment of ties in ranking problems", 1945.

    Args:
        first: (n,) figures, or (samples, n) where each sample has its own.
        second: figures of the same networks, likewise.
        weights: (samples, n) how often a network stands in a sample, as in a bootstrap.

    Returns:
        (samples,) -1..1, NaN where one of the two orders no pair.
    """
    a, b = _filled(first), _filled(second)
    count = weights.shape[1]
    if a.shape[1] != count or b.shape[1] != count:
        raise InputError(
            f"tau needs figures of the same networks: got {a.shape[1]} and {b.shape[1]}"
        )
    i, j = np.triu_indices(count, 1)
    at_once = max(1, _AT_ONCE // max(1, len(i)))
    taus: Values = np.full(len(weights), np.nan)
    for start in range(0, len(weights), at_once):
        rows = slice(start, start + at_once)
        pairs = weights[rows][:, i] * weights[rows][:, j]
        ours, theirs = (_signs(x if len(x) == 1 else x[rows], i, j) for x in (a, b))
        agreement = (pairs * ours * theirs).sum(axis=1)
        ordered = np.sqrt((pairs * np.abs(ours)).sum(axis=1) * (pairs * np.abs(theirs)).sum(axis=1))
        np.divide(agreement, ordered, out=taus[rows], where=ordered > 0)
    return taus


def top_recall(proxy: npt.ArrayLike, truth: npt.ArrayLike, count: int) -> float:
    """Which share of the ``count`` networks that the proxy holds for best are the truth's best.

    Among networks equal at the edge of the proxy's choice, what a draw would give on average;
    those equal at the edge of the truth all count as best.

    Args:
        proxy: (n,) figures.
        truth: (n,) figures of the same networks.
        count: 1..n.

    Returns:
        0..1; by chance count / n.

    Raises:
        InputError: a count outside 1..n.
    """
    chosen_by, judged_by = _filled(proxy)[0], _filled(truth)[0]
    if not 1 <= count <= len(chosen_by):
        raise InputError(f"top-k: expected k from 1 to {len(chosen_by)}, got {count}")
    edge = np.sort(chosen_by)[-count]
    above, at_edge = chosen_by > edge, chosen_by == edge
    chosen = above + at_edge * (count - above.sum()) / at_edge.sum()
    best = judged_by >= np.sort(judged_by)[-count]
    return float((chosen * best).sum() / count)


def recall_count(networks: int) -> int:
    """The k of top-k: a quarter of the networks, at least one."""
    return max(1, round(networks / 4))


def replicates(networks: int, samples: int) -> Values:
    """(samples, n) bootstrap weights: so many networks drawn with replacement."""
    rng = np.random.default_rng(0)
    even = np.full(networks, 1 / networks)
    return rng.multinomial(networks, even, size=samples).astype(np.float64)


def interval(samples: npt.ArrayLike) -> tuple[float, float]:
    """The middle 90% of a bootstrap's values, NaN left out; NaN where there are none."""
    values = np.asarray(samples, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def estimate(value: float, samples: npt.ArrayLike) -> Estimate:
    """A value with the interval of its bootstrap samples; no value has no interval."""
    if not np.isfinite(value):
        return Estimate(np.nan, np.nan, np.nan)
    return Estimate(float(value), *interval(samples))


def _signs(values: Values, i: npt.NDArray[np.intp], j: npt.NDArray[np.intp]) -> Values:
    first, second = values[:, i], values[:, j]
    # Differences of large figures would lose what tells near ones apart.
    return (first > second).astype(np.float64) - (first < second)


def _filled(values: npt.ArrayLike) -> Values:
    """(1, n) or (samples, n), NaN as the worst."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in (1, 2):
        raise InputError(f"ranking needs figures of shape (n,) or (samples, n): got {array.shape}")
    return np.atleast_2d(np.where(np.isnan(array), -np.inf, array))
