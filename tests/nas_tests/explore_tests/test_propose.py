"""What the samplers propose: nearly always something that fits, and known from its seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from nas.explore.propose import FILL, Proposal, choose, fixed_parameters
from nas.explore.sampler import SAMPLERS, make_sampler
from nas.explore.settings import make_settings
from nas.latency.meter import Meter
from nas.store.study import quietly, reject_over_budget
from search_spaces import Architecture, Space, price
from search_spaces.errors import InputError
from tests.nas_tests.explore_tests.made_up import networks, recorded

SPACE = Space.load("distillation")
CASES = (["600K-params"], ["10G-macs"], ["50K-params", "5G-macs"])


class Told(NamedTuple):
    study: optuna.Study
    proposals: list[Proposal]


def meter_of(budgets: Sequence[str]) -> Meter:
    settings = make_settings(budgets)
    return Meter(settings.budget, settings.hr, settings.latency_lr, "cpu")


def made_up_psnr_db(arch: Architecture) -> float:
    """Rises with the price, falls with plainness: enough for a sampler to learn from."""
    return 25.0 + math.log10(price(arch).params) + 0.2 * (arch.fusion.kind == "concat")


def drive(
    sampler: str, budgets: Sequence[str], count: int, *, space: Space = SPACE, seed: int = 0
) -> Told:
    """Asks for proposals and tells made-up figures, without any training."""
    quietly()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    meter = meter_of(budgets)
    downward = [StudyDirection.MINIMIZE] * len(budgets)
    study = optuna.create_study(directions=[StudyDirection.MAXIMIZE, *downward])
    made = []
    for k in range(count):
        study.sampler = make_sampler(sampler, seed, k)
        proposal = choose(study.ask(), space, 4, meter)
        made.append(proposal)
        if not proposal.fits:
            reject_over_budget(study, proposal.trial)
            continue
        costs = [meter.figure(proposal.architecture, b.name) for b in meter.budgets]
        study.tell(proposal.trial, [made_up_psnr_db(proposal.architecture), *costs])
    return Told(study, made)


def check(told: Told, budgets: Sequence[str], space: Space = SPACE) -> None:
    meter, proposals = meter_of(budgets), told.proposals
    assert sum(p.fits for p in proposals) >= 0.95 * len(proposals)
    names = {budget.name for budget in meter.budgets}
    for proposal, trial in zip(proposals, told.study.trials, strict=True):
        assert set(trial.constraints) == names
        assert proposal.fits == all(excess <= 0 for excess in trial.constraints.values())
        assert proposal.fits == meter.fits(proposal.architecture)
        labels = {name: value for name, value in trial.params.items() if FILL not in name}
        assert list(labels) == [d.name for d in space.active(labels) if d.choices]
        assert {FILL + d.name for d in space.filling} == trial.params.keys() - labels.keys()


@pytest.mark.parametrize("budgets", CASES, ids="+".join)
@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3", "random"])
def test_at_least_95_percent_fit(sampler: str, budgets: list[str]) -> None:
    told = drive(sampler, budgets, 40)
    check(told, budgets)
    assert len({p.architecture.hash for p in told.proposals}) > 27


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3", "gp", "random"])
def test_at_least_95_percent_fit_in_memory(sampler: str) -> None:
    tiny, budgets = Space.load("tiny"), ["40MB-memory"]
    count = 10 if sampler == "gp" else 40
    check(drive(sampler, budgets, count, space=tiny), budgets, tiny)


def test_memory_of_the_large_space() -> None:
    check(drive("tpe", ["200MB-memory"], 2), ["200MB-memory"])


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_same_seed_same_proposals(sampler: str) -> None:
    # GP models from the ninth proposal on, each of which costs it a second.
    budgets = ["50K-params"]
    first, again = (drive(sampler, budgets, 11, seed=3) for _ in range(2))
    check(first, budgets)
    assert [t.params for t in first.study.trials] == [t.params for t in again.study.trials]
    other = drive(sampler, budgets, 3, seed=4)
    assert [t.params for t in first.study.trials[:3]] != [t.params for t in other.study.trials]


def test_what_does_not_fit_has_a_positive_constraint() -> None:
    # Every choice but the cheapest ones is over so small a budget.
    told = drive("random", ["7200-params"], 40)
    over = [p for p in told.proposals if not p.fits]
    assert over
    for proposal in over:
        trial = told.study.trials[proposal.trial.number]
        assert trial.state is TrialState.PRUNED
        assert trial.constraints["params"] == price(proposal.architecture).params / 7200 - 1
        assert trial.constraints["params"] > 0


def test_samplers_learn_from_constraints() -> None:
    told = drive("tpe", ["7500-params"], 60)
    fits = [p.fits for p in told.proposals]
    assert sum(fits[30:]) > sum(fits[:30])


@pytest.mark.parametrize("system", sorted(SPACE.starting_points))
def test_starting_points_come_back_out_of_the_study(system: str) -> None:
    point, meter = SPACE.starting_points[system], meter_of(["800K-params", "60G-macs"])
    parameters = fixed_parameters(SPACE, point, 4, meter)
    if parameters is None:
        assert not meter.fits(SPACE.architecture(point, 4))
        return
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    study.enqueue_trial(dict(parameters), user_attrs={"source": f"preset:{system}"})
    proposal = choose(study.ask(), SPACE, 4, meter)
    assert proposal.architecture == SPACE.architecture(point, 4)
    assert proposal.fits
    assert proposal.trial.user_attrs["source"] == f"preset:{system}"


def test_a_starting_point_over_the_budget_is_left_out() -> None:
    point = SPACE.starting_points["rfdn"]
    assert fixed_parameters(SPACE, point, 4, meter_of(["100K-params"])) is None


@pytest.mark.parametrize("system", sorted(SPACE.starting_points))
@pytest.mark.parametrize("budget", [9_000, 50_000, 150_000, 2_000_000])
def test_starting_points_are_narrowed_to_the_budget(system: str, budget: int) -> None:
    point, meter = SPACE.starting_points[system], meter_of([f"{budget}-params"])
    found = SPACE.narrowed(point, 4, meter.fits)
    width = SPACE.filling[-1]
    assert width.name == "channels"
    if found is None:
        assert not meter.fits(SPACE.architecture({**point, "channels": width.grid[0]}, 4))
        return
    assert {**found, "channels": point["channels"]} == point
    assert meter.fits(SPACE.architecture(found, 4))
    if found != point:
        wider = next(channels for channels in width.grid if channels > int(found["channels"]))
        assert not meter.fits(SPACE.architecture({**found, "channels": wider}, 4))


def test_a_search_begins_with_published_designs_at_the_budget(tmp_path: Path) -> None:
    run = recorded(tmp_path, 5, space="distillation")
    sources = [record.source for record in networks(run)]
    assert sources[0].startswith("narrowed:")
    # Two designs that differ in width alone are one network.
    assert len({r.architecture_hash for r in networks(run)}) == len(sources)


def test_a_sampler_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from optuna.samplers import RandomSampler

    monkeypatch.setattr(SAMPLERS, "_entries", dict(SAMPLERS))
    SAMPLERS.add("mine", lambda seed: RandomSampler(seed=seed))
    assert isinstance(make_sampler("mine", 0, 3), RandomSampler)
    assert make_settings(sampler="mine").sampler == "mine"
    with pytest.raises(InputError, match="sampler 'tpe' is there already: choose another name"):
        SAMPLERS.add("tpe", lambda seed: RandomSampler(seed=seed))
