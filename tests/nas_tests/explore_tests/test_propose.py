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
from nas.latency.possible import check_possible
from nas.store.study import quietly, reject_over_budget
from search_spaces import Architecture, Space, price
from search_spaces.errors import InputError, NotPossible
from search_spaces.smallest import smallest
from search_spaces.space import Point
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
    told = drive(sampler, budgets, 60)
    check(told, budgets)
    assert len({p.architecture.hash for p in told.proposals}) > 40


def test_at_least_95_percent_of_a_gaussian_process_fit() -> None:
    # Each proposal after the eighth costs a second, so it has to do with fewer.
    check(drive("gp", ["50K-params"], 14), ["50K-params"])


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3", "gp", "random"])
def test_at_least_95_percent_fit_in_memory(sampler: str) -> None:
    tiny, budgets = Space.load("tiny"), ["40MB-memory"]
    count = 10 if sampler == "gp" else 60
    check(drive(sampler, budgets, count, space=tiny), budgets, tiny)


def test_memory_of_the_large_space() -> None:
    check(drive("tpe", ["200MB-memory"], 3), ["200MB-memory"])


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_same_seed_same_proposals(sampler: str) -> None:
    # GP models from the ninth proposal on.
    first, again, other = (drive(sampler, ["50K-params"], 11, seed=seed) for seed in (3, 3, 4))
    assert [t.params for t in first.study.trials] == [t.params for t in again.study.trials]
    assert [t.params for t in first.study.trials] != [t.params for t in other.study.trials]


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


class TestMeter:
    ARCH = SPACE.architecture(SPACE.starting_points["rfdn"], 4)

    def test_a_budget_is_met_by_equality(self) -> None:
        params = price(self.ARCH).params
        assert meter_of([f"{params}-params"]).fits(self.ARCH)
        assert not meter_of([f"{params - 1}-params"]).fits(self.ARCH)
        assert meter_of([f"{params}-params"]).excess(self.ARCH) == {"params": 0.0}

    def test_every_budget_counts(self) -> None:
        assert meter_of(["600K-params", "40G-macs"]).fits(self.ARCH)
        assert not meter_of(["600K-params", "1G-macs"]).fits(self.ARCH)

    def test_without_budgets_everything_fits(self) -> None:
        assert meter_of([]).fits(self.ARCH)

    @pytest.mark.parametrize(
        ("budget", "told"),
        [
            ("1K-params", "budget 1K-params: no network of space 'distillation' at x4 fits; the "
             "smallest one takes {}K params"),
            ("1M-macs", "the smallest one takes {}M macs"),
            ("1K-activations", "the smallest one takes {}M activations"),
            ("1KB-memory", "the smallest one takes {} MB"),
            ("1us-latency", "the smallest one takes about {} ms"),
        ],
    )  # fmt: skip
    def test_an_impossible_budget_names_the_smallest_network(self, budget: str, told: str) -> None:
        space = SPACE if "params" in budget else Space.load("tiny")
        with pytest.raises(NotPossible) as caught:
            check_possible(meter_of([budget]), space, 4)
        before, after = told.split("{}")
        assert before in str(caught.value)
        number, _, rest = str(caught.value).partition(before)[2].partition(after)
        assert float(number) > 0
        assert rest == ": raise the budget"

    def test_an_impossible_budget_names_a_space_that_meets_it(self) -> None:
        tiny = Space.load("tiny")
        least = price(tiny.architecture(smallest(tiny, lambda arch: price(arch).params, 4))).params
        with pytest.raises(
            NotPossible,
            match="choose space 'fast', which goes down to .* or space 'tiny', which goes down to "
            f"{least / 1e3:.4g}K params or space 'wide', which goes down to 4",
        ):
            check_possible(meter_of([f"{least}-params"]), SPACE, 4)

    def test_the_smallest_network_named_is_one_that_fits(self) -> None:
        least = price(
            SPACE.architecture(smallest(SPACE, lambda arch: price(arch).params, 4))
        ).params
        check_possible(meter_of([f"{least}-params"]), SPACE, 4)
        with pytest.raises(InputError):
            check_possible(meter_of([f"{least - 1}-params"]), SPACE, 4)

    def test_latencies_are_predicted_on_the_safe_side(self) -> None:
        tiny, meter = Space.load("tiny"), meter_of(["1s-latency"])
        check_possible(meter, tiny, 4)
        point: Point = {"family": "none", "attention": "none", "blocks": 2, "channels": 16}
        arch = tiny.architecture(point, 4)
        measured = meter.measure(arch)
        assert measured.latency_ms is not None
        assert measured.latency_min_ms is not None
        assert 0.3 < meter.figure(arch, "latency") / measured.latency_ms < 3
        assert measured.latency_min_ms <= measured.latency_ms
        assert measured.params == price(arch).params


def test_a_sampler_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from optuna.samplers import RandomSampler

    monkeypatch.setattr(SAMPLERS, "_entries", dict(SAMPLERS))
    SAMPLERS.add("mine", lambda seed: RandomSampler(seed=seed))
    assert isinstance(make_sampler("mine", 0, 3), RandomSampler)
    assert make_settings(sampler="mine").sampler == "mine"
    with pytest.raises(InputError, match="sampler 'tpe' is there already: choose another name"):
        SAMPLERS.add("tpe", lambda seed: RandomSampler(seed=seed))
