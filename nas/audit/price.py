"""Price taken out of a figure, so that what is compared is quality at equal price.

Large networks are better than small ones, which any signal sees; a search chooses among networks
of like price. What a quadratic in the logarithm of the price does not explain is a network's
lead over others of its price. Pure functions on arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COSTS", "LEAST_AT_PRICE", "price_terms", "residuals", "slopes"]

Values = npt.NDArray[np.float64]

COSTS = ("params", "macs", "activations", "latency_ms")
"""What a network may cost, as the columns of networks have it."""

LEAST_AT_PRICE = 5
"""Of fewer networks nothing is left once price is taken out."""

_ROUNDS = 8
_USUAL = 3.0 * 1.4826
"""Three standard deviations, in medians of the absolute residuals of normal ones."""

_ROUNDING = 1e-9
"""What is left of a figure's spread is less than this where the price explains all of it."""


def price_terms(networks: pd.DataFrame, prices: Sequence[str]) -> Values:
    """(n, terms) of networks, the first to be taken out first: log(price), its square, others.

    Args:
        networks: a row a network.
        prices: columns above 0; the first one counts with its square, further ones by what
            they add to it, such as the multi-adds of networks of equal parameters.
    """
    logs = [np.log(networks[name].to_numpy(dtype=np.float64)) for name in prices]
    scaled = [(log - log.mean()) / (log.std() or 1.0) for log in logs]
    return np.column_stack([scaled[0], scaled[0] ** 2, *scaled[1:]])


def slopes(networks: int, terms: int) -> int:
    """How many terms so many networks can bear: one for every three; 0: too few to tell."""
    return max(0, min(terms, (networks - 2) // 3))


def residuals(values: npt.ArrayLike, terms: Values, weights: Values) -> Values:
    """What the terms leave of a figure, by robust weighted least squares for each sample.

    A network whose training fell apart lies decibels below all others, and would tilt the line
    that the price draws through them: it counts for as much as one at the edge of what is usual
    (Huber 1964, "Robust estimation of a location parameter"; iteratively reweighted, the scale
    from the median of the residuals).

    Args:
        values: (n,) figures; NaN stays NaN and counts for nothing.
        terms: (n, k) as from :func:`price_terms`; as many are used as ``slopes`` allows for the
            networks that count.
        weights: (samples, n) how often a network stands in a sample, as in a bootstrap.

    Returns:
        (samples, n), 0 where the price explains everything; rows of NaN where a sample has too
        few different networks.
    """
    figures = np.asarray(values, dtype=np.float64)
    known = np.isfinite(figures)
    counted = weights * known
    able = int((counted > 0).any(axis=0).sum())
    used = slopes(able, terms.shape[1])
    rest: Values = np.full(weights.shape, np.nan)
    if not used:
        return rest
    columns = np.column_stack([np.ones(len(figures)), terms[:, :used]])
    filled = np.where(known, figures, 0.0)
    fitted = _fitted(columns, filled, counted)
    for _ in range(_ROUNDS):
        away = np.abs(filled - fitted)
        usual = _USUAL * _median(away, counted)[:, None]
        # Where the price explains all but rounding there is nothing to reweigh.
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(away > usual, usual / away, 1.0)
        fitted = _fitted(columns, filled, counted * np.where(usual > 0, share, 1.0))
    enough = (counted > 0).sum(axis=1) >= used + 3
    rest[enough] = np.where(known, figures - fitted, np.nan)[enough]
    extent = np.ptp(figures[known]) if known.any() else 0.0
    rest[np.abs(rest) <= _ROUNDING * extent] = 0.0
    return rest


def _fitted(columns: Values, figures: Values, weights: Values) -> Values:
    """(samples, n) by least squares, each sample with its weights."""
    moments = np.einsum("sn,ni,nj->sij", weights, columns, columns)
    sides = np.einsum("sn,ni,n->si", weights, columns, figures)
    found: Values = (
        np.einsum("sij,sj->si", np.linalg.pinv(moments, hermitian=True), sides) @ columns.T
    )
    return found


def _median(values: Values, weights: Values) -> Values:
    """(samples,) the weighted median of each row."""
    order = np.argsort(values, axis=1)
    below = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    first = np.argmax(below >= below[:, -1:] / 2, axis=1)
    middle: Values = np.take_along_axis(values, order, axis=1)[np.arange(len(values)), first]
    return middle
