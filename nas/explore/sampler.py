"""Optuna's samplers by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from search_spaces.open_table import OpenTable

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

__all__ = ["SAMPLERS", "WHOLE", "make_sampler"]


def _tpe(seed: int) -> BaseSampler:
    from nas.explore.grouped_tpe import GroupedTPE

    return GroupedTPE(seed, n_startup_trials=8)


def _nsga2(seed: int) -> BaseSampler:
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(seed=seed, population_size=16)


def _nsga3(seed: int) -> BaseSampler:
    from optuna.samplers import NSGAIIISampler

    return NSGAIIISampler(seed=seed, population_size=16)


def _gp(seed: int) -> BaseSampler:
    from optuna.samplers import GPSampler

    return GPSampler(seed=seed, n_startup_trials=8, warn_independent_sampling=False)


def _random(seed: int) -> BaseSampler:
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


SAMPLERS: OpenTable[Callable[[int], BaseSampler]] = OpenTable(
    "sampler",
    {
        "tpe": _tpe,
        "nsga2": _nsga2,
        "nsga3": _nsga3,
        "gp": _gp,
        "random": _random,
    },
)
"""What makes each sampler, from a seed."""

WHOLE = frozenset({"nsga2", "nsga3", "random"})
"""Samplers that count on seeing every trial, or do not mind."""


def make_sampler(name: str, seed: int, proposals: int) -> BaseSampler:
    """The sampler for proposal number ``proposals`` of a search.

    It is made afresh for each proposal, seeded by the search's seed and the proposal's
    number, so that a search which was interrupted goes on as if it had not been.
    """
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return SAMPLERS[name]((seed * 1_000_003 + proposals) % 2**32)
