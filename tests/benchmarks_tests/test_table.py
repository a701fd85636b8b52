"""The recorded table that comes with the project, and searches replayed on it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay import ours, plain_optuna
from benchmarks.replay.history import Finish, Yardstick
from benchmarks.table.contents import LONG_STEPS, RECIPE, RUNG_STEPS, networks, plan
from benchmarks.table.table import Table, load_table
from search_spaces import price


@pytest.fixture(scope="module")
def table() -> Table:
    return load_table()


@pytest.fixture(scope="module")
def yardstick(table: Table) -> Yardstick:
    return Yardstick(table, "params")


def test_every_training_of_the_plan_is_there_with_every_rung(table: Table) -> None:
    found = table.trainings.groupby(["hash", "seed"])["step"].agg(list).to_dict()
    wanted: dict[tuple[str, int], int] = {}
    for training in plan():
        key = (training.architecture.hash, training.seed)
        wanted[key] = max(training.steps, wanted.get(key, 0))
    assert len({name for name, _ in wanted}) >= 300
    assert found.keys() == wanted.keys()
    for key, steps in wanted.items():
        assert found[key] == [step for step in RUNG_STEPS if step <= steps]
    assert sum(steps == LONG_STEPS for steps in wanted.values()) >= 40


def test_networks_are_those_of_the_space_at_their_prices(table: Table) -> None:
    rows = table.networks.set_index("hash")
    made = list(networks())
    assert set(rows.index) == {arch.hash for _, arch in made}
    for point, arch in made:
        row, cost = rows.loc[arch.hash], price(arch)
        assert (row.params, row.macs, row.activations) == (cost.params, cost.macs, cost.activations)
        assert {name: row[name] for name in point} == point
    assert (rows[["latency_ms", "latency_min_ms"]] > 0).all(axis=None)
    assert np.isfinite(rows[["grad_norm", "snip"]]).all(axis=None)


def test_no_short_training_diverged_and_figures_are_plausible(table: Table) -> None:
    short = table.trainings.query(f"step <= {RECIPE.steps}")
    assert short["psnr_y_db"].between(20, 32).all()
    assert short["ssim_y"].between(0.5, 1).all()


def test_the_whole_table_is_the_yardstick(table: Table, yardstick: Yardstick) -> None:
    everything = table.final["hash"].tolist()
    assert yardstick.share(everything) == pytest.approx(1.0)
    assert yardstick.share([]) == 0.0
    curve = yardstick.curve([Finish(480, everything[0]), Finish(960, everything[1])], np.arange(3))
    assert (curve == 0).all()


def test_replays_count_every_step_once(table: Table, yardstick: Yardstick) -> None:
    plain = plain_optuna.replay(table, "random", "params", 12, 0)
    assert [finish.steps for finish in plain] == [RECIPE.steps * (k + 1) for k in range(12)]
    whole = ours.replay(table, 12, 0, "", sampler="random", early_stop=False, candidates=1)
    assert [finish.steps for finish in whole] == [RECIPE.steps * (k + 1) for k in range(12)]
    stopped = ours.replay(table, 12, 0, "", sampler="random", rungs=2, eta=2.0)
    assert 5 <= len(stopped) < 12
    assert stopped[-1].steps == 12 * 240 + len(stopped) * 240
    assert 0 < yardstick.share([finish.hash for finish in stopped]) < 1
    budget = ours.replay(table, 12, 0, "30K-params", sampler="random", early_stop=False)
    params = table.networks.set_index("hash")["params"]
    assert max(params[finish.hash] for finish in budget) <= 30_000
