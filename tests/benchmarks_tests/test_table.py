"""The recorded table that comes with the project, and searches replayed on it."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pytest

from benchmarks.replay import ours, plain_optuna
from benchmarks.replay.history import Finish, Yardstick
from benchmarks.table.contents import RECIPE, bands, grid, plan
from benchmarks.table.table import Table, load_table
from search_spaces import Architecture, price


@pytest.fixture(scope="module")
def table() -> Table:
    return load_table()


@pytest.fixture(scope="module")
def yardstick(table: Table) -> Yardstick:
    return Yardstick(table, "params")


def test_trainings_are_those_of_the_plan_with_every_rung(table: Table) -> None:
    found = table.trainings.groupby(["hash", "seed"])["step"].agg(list).to_dict()
    wanted = {(t.architecture.hash, t.seed): list(t.rungs) for t in plan()}
    assert found.items() <= wanted.items()
    # What replays need; the rest is added as it is trained.
    assert {(arch.hash, 0) for _, arch in grid()} <= found.keys()


def test_the_plan_is_what_the_card_says() -> None:
    seeds: dict[str, set[int]] = defaultdict(set)
    long: dict[str, set[int]] = defaultdict(set)
    for training in plan():
        name = training.architecture.hash
        (long if training.recipe.steps >= 5 * RECIPE.steps else seeds)[name].add(training.seed)
    assert len(seeds) >= 300
    drawn = [arch for some in bands().values() for arch in some]
    assert 2 * len({arch.hash for arch in drawn}) > len(seeds)
    for wanted, some in bands().items():
        assert all(abs(price(arch).params / wanted - 1) <= 0.05 for arch in some)
    assert sum(len(some) == 3 for some in seeds.values()) >= 60
    assert sum(len(some) == 2 for some in long.values()) >= 48
    # No luck of a seed is in both.
    assert all(not long[name] & seeds[name] for name in long)


def test_networks_are_those_of_the_plan_at_their_prices(table: Table) -> None:
    rows = table.networks.set_index("hash")
    made = {arch.hash: (point, arch) for point, arch in grid()}
    made |= {arch.hash: ({}, arch) for some in bands().values() for arch in some}
    assert set(rows.index) == set(made)
    for name, (point, arch) in made.items():
        row, cost = rows.loc[name], price(arch)
        assert (row.params, row.macs, row.activations) == (cost.params, cost.macs, cost.activations)
        assert {key: row[key] for key in point} == point
        assert Architecture.from_dict(json.loads(str(row.architecture))) == arch
    for name in {"latency_ms", "latency_min_ms", "grad_norm", "snip"} & set(rows):
        assert np.isfinite(rows[name]).all()


def test_no_short_training_diverged_and_figures_are_plausible(table: Table) -> None:
    short = table.trainings.query(f"step <= {RECIPE.steps}")
    ends = short.query(f"step == {RECIPE.steps}").set_index(["hash", "seed"])
    assert len(ends) == len(short[["hash", "seed"]].drop_duplicates())
    assert ends["psnr_y_db"].between(20, 32).all()
    # What was begun again with smaller steps has fallen apart on its way.
    again = ends.index[ends["rate_factor"] < 1]
    assert len(again) <= 0.01 * len(ends)
    held = short.set_index(["hash", "seed"]).drop(index=again)
    assert held["psnr_y_db"].between(20, 32).all()
    assert held["ssim_y"].between(0.5, 1).all()


def test_the_whole_table_is_the_yardstick(table: Table, yardstick: Yardstick) -> None:
    everything = table.final["hash"].tolist()
    assert yardstick.share(everything) == pytest.approx(1.0)
    assert yardstick.share([]) == 0.0
    curve = yardstick.curve([Finish(320, everything[0]), Finish(640, everything[1])], np.arange(3))
    assert (curve == 0).all()


def test_replays_count_every_step_once(table: Table, yardstick: Yardstick) -> None:
    plain = plain_optuna.replay(table, "random", "params", 12, 0)
    assert [finish.steps for finish in plain] == [RECIPE.steps * (k + 1) for k in range(12)]
    whole = ours.replay(table, 12, 0, "", sampler="random", early_stop=False, candidates=1)
    assert [finish.steps for finish in whole] == [RECIPE.steps * (k + 1) for k in range(12)]
    stopped = ours.replay(table, 12, 0, "", sampler="random", rungs=2, eta=2.0)
    assert 5 <= len(stopped) < 12
    assert stopped[-1].steps == 12 * RECIPE.steps // 2 + len(stopped) * RECIPE.steps // 2
    assert 0 < yardstick.share([finish.hash for finish in stopped]) < 1
    budget = ours.replay(table, 12, 0, "30K-params", sampler="random", early_stop=False)
    params = table.networks.set_index("hash")["params"]
    assert max(params[finish.hash] for finish in budget) <= 30_000
