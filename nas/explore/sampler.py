"""Optuna's samplers by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from search_spaces.open_table import OpenTable

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

__all__ = ["SAMPLERS", "WHOLE", "make_sampler"]


def _tpe(seed: int) -> BaseSampler:
    from nas.explore.grouped_tpe import GroupedTPE

    return GroupedTPE(seed, n_startup_trials=8)


def _of_optuna(name: str, **options: Any) -> Callable[[int], BaseSampler]:
    def make(seed: int) -> BaseSampler:
        from optuna import samplers

        made: BaseSampler = getattr(samplers, name)(seed=seed, **options)
        return made

    return make


SAMPLERS: OpenTable[Callable[[int], BaseSampler]] = OpenTable(
    "sampler",
    {
        "tpe": _tpe,
        "nsga2": _of_optuna("NSGAIISampler", population_size=16),
        "nsga3": _of_optuna("NSGAIIISampler", population_size=16),
        "gp": _of_optuna("GPSampler", n_startup_trials=8, warn_independent_sampling=False),
        "random": _of_optuna("RandomSampler"),
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
