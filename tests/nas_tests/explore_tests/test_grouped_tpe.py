"""TPE that samples only what is asked for."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.samplers import TPESampler
from optuna.trial import Trial

from nas.explore.grouped_tpe import GroupedTPE


def asked(trial: Trial) -> float:
    """Better with more of ``x``; ``inner`` and ``outer`` count under a condition each."""
    kind = trial.suggest_categorical("kind", ["in", "out"])
    x = trial.suggest_float("x", 0.0, 1.0)
    if kind == "in":
        trial.suggest_categorical("inner", ["a", "b"])
        trial.suggest_float("inner_rate", 0.0, 1.0)
    else:
        trial.suggest_float("outer", 0.0, 1.0)
    return x + (kind == "in")


def study_of(count: int, seed: int = 0) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = GroupedTPE(seed, n_startup_trials=8)
    study = optuna.create_study(sampler=sampler, direction="maximize")
    for _ in range(count):
        trial = study.ask()
        study.tell(trial, asked(trial))
    return study


def test_same_seed_same_proposals() -> None:
    first, again, other = (study_of(30, seed=seed) for seed in (0, 0, 1))
    assert [t.params for t in first.trials] == [t.params for t in again.trials]
    assert [t.params for t in first.trials] != [t.params for t in other.trials]


def test_learns() -> None:
    later = study_of(60).trials[30:]
    assert sum(t.params["x"] for t in later) / len(later) > 0.7
    assert sum(t.params["kind"] == "in" for t in later) > 20


def test_a_group_is_sampled_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of(20)
    sampled: list[set[str]] = []
    plain = TPESampler.sample_relative

    def watched(self: TPESampler, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        sampled.append(set(search_space))
        return plain(self, study, trial, search_space)

    monkeypatch.setattr(TPESampler, "sample_relative", watched)
    trial = study.ask()
    trial.suggest_categorical("kind", ["in", "out"])
    trial.suggest_float("x", 0.0, 1.0)
    assert [group for group in sampled if group] == [{"kind", "x"}]
    trial.suggest_float("inner_rate", 0.0, 1.0)
    trial.suggest_categorical("inner", ["a", "b"])
    assert [group for group in sampled if group][1:] == [{"inner", "inner_rate"}]


def test_what_no_trial_had_is_sampled_by_itself() -> None:
    trial = study_of(20).ask()
    assert 0.0 <= trial.suggest_float("new", 0.0, 1.0) <= 1.0
