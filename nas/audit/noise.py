"""What the seed alone does to a figure, as far as trainings show it.

Pure functions on arrays: a row a network, a column a seed.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nas.noise import of_difference

__all__ = ["freedom", "indistinct_db", "least_difference_db", "seed_mean", "seed_noise_db"]

# Of a normal distribution: 95% lie within so many deviations, and below so many.
_TWO_SIDED, _ONE_SIDED = 1.96, 1.645

Values = npt.NDArray[np.float64]


def seed_noise_db(values: npt.ArrayLike) -> float:
    """Standard deviation between seeds of ONE network, what a seed does to all being left out.

    A seed that is good for every network changes no ranking, so what each network and each
    seed explain is taken off first, by least squares.

    Args:
        values: (n, seeds), dB or any other unit; NaN where there is no figure.

    Returns:
        In the values' unit; NaN with fewer than two networks in two seeds.
    """
    array = _comparable(values)
    left = freedom(array)
    if left < 1:
        return math.nan
    rest = array - _lucks(array)
    rest -= np.nanmean(rest, axis=1, keepdims=True)
    return math.sqrt(float(np.nansum(rest**2)) / left)


def freedom(values: npt.ArrayLike) -> int:
    """Degrees of freedom of :func:`seed_noise_db`: how much its figure rests on."""
    array = _comparable(values)
    seeds = int(np.isfinite(array).any(axis=0).sum())
    if not len(array):
        return 0
    return max(0, int(np.isfinite(array).sum()) - len(array) - seeds + 1)


def seed_mean(values: npt.ArrayLike) -> Values:
    """(n,) each network's figure over its seeds, as if it had had all of them.

    A network that lacks a seed is not compared by the luck of that seed. One that has diverged
    in some seed, which counts as worst, is for the caller to mark.
    """
    array = np.asarray(values, dtype=np.float64)
    found: Values = np.full(len(array), np.nan)
    there = np.isfinite(array).any(axis=1)
    found[there] = np.nanmean(array[there] - _lucks(array), axis=1)
    return found


def least_difference_db(noise_db: float) -> float:
    """Smaller differences between two networks, one seed each, come by seeds alone in 95%."""
    return _TWO_SIDED * of_difference(noise_db)


def indistinct_db(noise_db: float, seeds: float) -> float:
    """How far below the best mean over ``seeds`` an equal network may lie (95%, one-sided)."""
    return _ONE_SIDED * of_difference(noise_db) / math.sqrt(seeds)


def _comparable(values: npt.ArrayLike) -> Values:
    array = np.where(np.isfinite(np.asarray(values, dtype=np.float64)), values, np.nan)
    found: Values = array[np.isfinite(array).sum(axis=1) >= 2]
    return found


def _lucks(array: Values) -> Values:
    """(seeds,) what each seed adds to every network, their mean being 0."""
    several = array[np.isfinite(array).sum(axis=1) >= 2]
    seeds = array.shape[1]
    if not len(several):
        return np.zeros(seeds)
    rows, columns = np.nonzero(np.isfinite(several))
    # A column a network and one a seed; the smallest solution of those that fit equally well.
    matrix = np.zeros((len(rows), len(several) + seeds))
    matrix[np.arange(len(rows)), rows] = 1.0
    matrix[np.arange(len(rows)), len(several) + columns] = 1.0
    solution = np.linalg.lstsq(matrix, several[rows, columns], rcond=None)[0]
    lucks = np.asarray(solution[len(several) :], dtype=np.float64)
    known = np.isfinite(several).any(axis=0)
    lucks[known] -= lucks[known].mean()
    lucks[~known] = 0.0
    return lucks
