"""What the seed alone does to a figure, and which differences it explains.

Pure functions on arrays of PSNR-Y in dB: a row a network, a column a seed.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["indistinct_db", "least_difference_db", "seed_noise_db"]

# Of a normal distribution: 95% lie within so many deviations, and below so many.
_TWO_SIDED, _ONE_SIDED = 1.96, 1.645


def seed_noise_db(values: npt.ArrayLike) -> float:
    """Standard deviation between seeds of one network, what a seed does to all being left out.

    A seed that is good for every network changes no ranking, so each seed's mean over the
    networks is taken off first.

    Args:
        values: (n, seeds) dB; rows with a NaN are passed over.

    Returns:
        dB; NaN with fewer than two seeds or two whole rows.
    """
    array = np.asarray(values, dtype=np.float64)
    whole = array[np.isfinite(array).all(axis=1)]
    networks, seeds = whole.shape
    if networks < 2 or seeds < 2:
        return math.nan
    rest = whole - whole.mean(axis=0) - whole.mean(axis=1, keepdims=True) + whole.mean()
    return math.sqrt(float((rest**2).sum()) / ((networks - 1) * (seeds - 1)))


def least_difference_db(noise_db: float) -> float:
    """Smaller differences between two networks, one seed each, come by seeds alone in 95%."""
    return _TWO_SIDED * math.sqrt(2.0) * noise_db


def indistinct_db(noise_db: float, seeds: int) -> float:
    """How far below the best mean over ``seeds`` an equal network may lie (95%, one-sided)."""
    return _ONE_SIDED * math.sqrt(2.0 / seeds) * noise_db
