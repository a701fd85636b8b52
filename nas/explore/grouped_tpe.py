"""Optuna's TPE, asked only for what counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from optuna.samplers import TPESampler
from optuna.trial import TrialState

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

__all__ = ["GroupedTPE"]

_LEARNED_FROM = (TrialState.COMPLETE, TrialState.PRUNED)


class GroupedTPE(TPESampler):
    """TPE whose parameters are modelled together where they always came together.

    That is what Optuna's option ``group`` does as well. But there every group is sampled for
    every trial, also those whose conditions do not hold, and the groups are made out anew each
    time. Here a group is sampled when the first of its parameters is asked for.

    Args:
        seed: of the sampler.
        n_startup_trials: as long as there are fewer, parameters are drawn at random.
    """

    def __init__(self, seed: int, n_startup_trials: int) -> None:
        super().__init__(seed=seed, n_startup_trials=n_startup_trials, multivariate=True)
        self._sampled: tuple[int, dict[str, Any]] = (-1, {})
        self._grouped: tuple[int, Mapping[str, dict[str, BaseDistribution]]] = (-1, {})

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Nothing: no parameter is sampled before it is asked for."""
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """The parameter's value; with the first one of a group, those of all."""
        number, sampled = self._sampled
        if number != trial.number:
            sampled = {}
        if param_name not in sampled:
            group = self._groups(study).get(param_name, {})
            sampled = {**sampled, **super().sample_relative(study, trial, group)}
            self._sampled = (trial.number, sampled)
        if param_name not in sampled:
            # New to all trials, or there are too few of them to learn from.
            return super().sample_independent(study, trial, param_name, param_distribution)
        return sampled[param_name]

    def _groups(self, study: Study) -> Mapping[str, dict[str, BaseDistribution]]:
        """For each parameter those that came with it in the very same trials."""
        trials = study.get_trials(deepcopy=False, states=_LEARNED_FROM)
        if self._grouped[0] == len(trials):
            return self._grouped[1]
        seen: dict[str, list[int]] = {}
        distributions: dict[str, BaseDistribution] = {}
        for k, trial in enumerate(trials):
            for name, distribution in trial.distributions.items():
                seen.setdefault(name, []).append(k)
                distributions[name] = distribution
        groups: dict[tuple[int, ...], dict[str, BaseDistribution]] = {}
        # Sorted, so that the order does not depend on which came first.
        for name in sorted(seen):
            if not distributions[name].single():
                groups.setdefault(tuple(seen[name]), {})[name] = distributions[name]
        made = {name: group for group in groups.values() for name in group}
        self._grouped = (len(trials), made)
        return made
