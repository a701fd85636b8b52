"""How well one figure orders networks as another does, all of them or within bands of a price.

Pure functions on arrays. A network whose figure is NaN (its training diverged) is taken for
worse than all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search_spaces.errors import InputError

__all__ = [
    "Estimate",
    "bands",
    "estimate",
    "interval",
    "kendall",
    "recall_count",
    "replicates",
    "tau_weights",
    "top_recall",
]

Values = npt.NDArray[np.float64]
_LEVEL = 0.9


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 90% bootstrap interval; NaN where there is too little to say it."""

    value: float
    low: float
    high: float


def kendall(
    first: npt.ArrayLike, second: npt.ArrayLike, strata: npt.ArrayLike | None = None
) -> float:
    """Kendall's tau-b: (concordant - discordant) pairs, over those that either one orders.

    Kendall, "The treatment of ties in ranking problems", 1945.

    Args:
        first: (n,) figures.
        second: (n,) figures of the same networks.
        strata: (n,) labels; only pairs of equal label count, where given.

    Returns:
        -1..1, NaN where one of the two orders no pair.
    """
    weights = np.ones((1, len(np.atleast_1d(np.asarray(first)))))
    return float(tau_weights(first, second, weights, strata)[0])


def tau_weights(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    weights: Values,
    strata: npt.ArrayLike | None = None,
) -> Values:
    """Tau-b as in :func:`kendall` for each of (samples, n) weights; shape (samples,).

    A weight is how often a network stands in a sample, as in a bootstrap.
    """
    a, b = _signs(first), _signs(second)
    if a.shape != b.shape:
        raise InputError(f"tau needs figures of the same networks: got {len(a)} and {len(b)}")
    if strata is not None:
        labels = np.asarray(strata)
        same = labels[:, None] == labels[None, :]
        a, b = a * same, b * same
    agreement = _quadratic(a * b, weights)
    ordered = np.sqrt(_quadratic(np.abs(a), weights) * _quadratic(np.abs(b), weights))
    taus: Values = np.full(len(weights), np.nan)
    return np.divide(agreement, ordered, out=taus, where=ordered > 0)


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
    chosen_by, judged_by = _filled(proxy), _filled(truth)
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


def bands(costs: npt.ArrayLike, count: int) -> npt.NDArray[np.int64]:
    """(n,) band of each network, 0 the cheapest: bands of equal counts, up to one.

    Raises:
        InputError: fewer bands than one.
    """
    values = np.asarray(costs, dtype=np.float64)
    if count < 1:
        raise InputError(f"bands: expected at least 1, got {count}")
    found = np.zeros(len(values), dtype=np.int64)
    for band, members in enumerate(np.array_split(np.argsort(values, kind="stable"), count)):
        found[members] = band
    return found


def replicates(strata: npt.ArrayLike, samples: int = 1000, seed: int = 0) -> Values:
    """(samples, n) bootstrap weights: networks drawn with replacement, each stratum from itself."""
    labels = np.asarray(strata)
    rng = np.random.default_rng(seed)
    weights = np.zeros((samples, len(labels)))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        even = np.full(len(members), 1 / len(members))
        weights[:, members] = rng.multinomial(len(members), even, size=samples)
    return weights


def interval(samples: npt.ArrayLike) -> tuple[float, float]:
    """The middle 90% of a bootstrap's values, NaN left out; NaN where there are none."""
    values = np.asarray(samples, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def estimate(value: float, samples: npt.ArrayLike) -> Estimate:
    """A value with the interval of its bootstrap samples."""
    return Estimate(float(value), *interval(samples))


def _signs(values: npt.ArrayLike) -> Values:
    filled = _filled(values)
    # Differences of large figures would lose what tells near ones apart.
    return (filled[:, None] > filled[None, :]).astype(np.float64) - (
        filled[:, None] < filled[None, :]
    )


def _filled(values: npt.ArrayLike) -> Values:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"ranking needs figures of shape (n,): got {array.shape}")
    return np.where(np.isnan(array), -np.inf, array)


def _quadratic(matrix: Values, weights: Values) -> Values:
    result: Values = ((weights @ matrix) * weights).sum(axis=1)
    return result
