"""The verdict on made-up curves, of which the truth is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas.audit.equals import equals
from nas.audit.families import head_starts
from nas.audit.finding import findings
from nas.audit.trust import Trust, trust
from search_spaces.errors import InputError

STEPS = (10, 30, 90, 450)


def made_up(
    count: int = 40, *, spread_db: float = 0.3, noise_db: float = 0.02, seeds: int = 2
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Curves and networks; seeds matter the less the longer the training."""
    rng = np.random.default_rng(0)
    quality = rng.normal(28, spread_db, count)
    networks = pd.DataFrame(
        {
            "hash": [f"net{i:02}" for i in range(count)],
            "params": np.geomspace(1e4, 1e6, count).astype(int),
            "macs": rng.uniform(1e9, 9e9, count),
            "kind": rng.choice(["plain", "split"], count),
        }
    )
    rows = [
        (f"net{i:02}", seed, step, quality[i] - 5 * step**-0.5 + seed + rng.normal(0, noise_db))
        for i in range(count)
        for seed in range(seeds)
        for step in STEPS
    ]
    return pd.DataFrame(rows, columns=["hash", "seed", "step", "psnr_y_db"]), networks


def judged(*made: Any, **options: Any) -> Trust:
    curves, networks = made or made_up()
    options = {"proxy_step": 90, "long_step": 450, "samples": 100} | options
    return trust(curves, networks, **options)


def test_a_proxy_without_noise_is_perfect() -> None:
    found = judged(*made_up(noise_db=0.0))
    assert found.proxy.tau.value == found.proxy.tau_at_price.value == 1.0
    assert found.proxy.of_ceiling.value == found.proxy.recall == 1.0
    assert found.noise_db == pytest.approx(0.0, abs=1e-9)
    assert found.ceiling.tau.value == 1.0
    assert (found.plateau.tells_from, found.plateau.half_from) == (10, 10)
    assert found.equals is not None
    assert found.equals.count == 1
    assert "about as far as a long training" in findings(found)[0]
    assert "trust the proxy" in findings(found)[1]


def test_what_is_known_comes_out() -> None:
    found = judged()
    assert found.noise_db == pytest.approx(0.02, rel=0.3)
    assert found.seeds == (0, 1)
    assert [signal.step for signal in found.signals if signal.kind == "rung"] == [10, 30, 90]
    assert [signal.name for signal in found.signals if signal.kind == "extrapolated"] == [
        "drawn on, last two", "drawn on, power law", "shrunk to its kind",
    ]  # fmt: skip
    proxy = found.proxy.tau_at_price
    assert proxy.low <= proxy.value <= proxy.high
    # Quality has nothing to do with the price here: 0.3 dB, of which a fit of 3 takes little.
    assert found.proxy.spread_db == pytest.approx(0.3, rel=0.3)
    assert set(found.rung_leads) == {10, 30, 90}


def test_noise_alone_is_said_to_be_noise() -> None:
    found = judged(*made_up(spread_db=0.0))
    assert "choose among them by cost" in findings(found)[0]
    # Of equal networks some lie within the margin below the best of forty.
    assert found.equals is not None
    assert found.equals.count > 1
    assert any("times less multi-adds" in text for text in findings(found))


def test_the_same_seed_says_nothing_of_the_ceiling() -> None:
    found = judged(*made_up(seeds=1))
    assert found.seeds == (0,)
    assert math.isnan(found.ceiling.tau.value)
    assert math.isnan(found.proxy.of_ceiling.value)
    assert math.isfinite(found.proxy.tau_at_price.value)
    assert not found.proxy.crossed
    assert found.equals is None
    assert "only a second seed can tell" in findings(found)[0]


def test_seeds_are_compared_with_others() -> None:
    # Every seed agrees with itself and reverses the other: only crossed pairs see that.
    curves, networks = made_up(12, noise_db=0.0)
    curves.loc[curves["seed"] == 1, "psnr_y_db"] *= -1
    found = judged(curves, networks)
    assert found.proxy.tau.value == found.proxy.tau_at_price.value == -1.0
    assert found.ceiling.tau.value == -1.0
    assert math.isnan(found.proxy.of_ceiling.value)


def test_networks_without_every_long_training_only_teach() -> None:
    curves, networks = made_up()
    lacking = (curves["hash"] > "net19") & (curves["step"] == 450) & (curves["seed"] == 1)
    found = judged(curves[~lacking], networks)
    # Their other seed's rung still tells of the long training that there is.
    assert len(found.hashes) == 40
    none = (curves["hash"] > "net19") & (curves["step"] == 450)
    only = judged(curves[~none], networks)
    assert len(only.hashes) == 20
    alone = judged(curves[curves["hash"] <= "net19"], networks)
    assert alone.proxy == only.proxy
    assert alone.signals[-1] != only.signals[-1]


def test_a_diverged_network_counts_as_worst() -> None:
    curves, networks = made_up(noise_db=0.0)
    best = str(curves["hash"].iloc[int(curves["psnr_y_db"].argmax())])
    curves.loc[(curves["hash"] == best) & (curves["step"] == 450), "psnr_y_db"] = np.nan
    found = judged(curves, networks)
    assert found.proxy.tau.value < 1.0
    assert sum(math.isnan(value) for value in found.long_db) == 1
    assert found.equals is not None
    assert found.equals.best != best


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_networks(count: int) -> None:
    curves, networks = made_up()
    curves = curves[curves["hash"].isin(networks["hash"][:count]) | (curves["step"] < 450)]
    with pytest.raises(InputError, match="at least 3 networks"):
        judged(curves, networks)


def test_savings_are_those_of_equals() -> None:
    networks = pd.DataFrame(
        {"hash": list("abcd"), "params": [4, 3, 2, 1], "macs": [8.0, 9.0, 2.0, 1.0]}
    )
    found = equals(networks, [30.0, 29.99, 29.98, 29.0], 0.02, 2)
    assert found is not None
    assert (found.best, found.count) == ("a", 3)
    by_cost = {saving.cost: saving for saving in found.savings}
    assert (by_cost["params"].hash, by_cost["params"].ratio) == ("c", 2.0)
    assert (by_cost["macs"].hash, by_cost["macs"].ratio) == ("c", 4.0)
    assert by_cost["macs"].below_db == pytest.approx(0.02)


def test_head_starts() -> None:
    rng = np.random.default_rng(0)
    kinds = pd.DataFrame({"kind": ["fast", "slow"] * 20, "width": [8.0] * 38 + [9.0, 10.0]})
    late = rng.normal(0, 0.03, 40)
    early = late + np.where(kinds["kind"] == "fast", 0.05, -0.05) + rng.normal(0, 0.01, 40)
    first, last = head_starts(kinds, early, late)
    assert (first.setting, last.setting) == ("kind = fast", "kind = slow")
    # The standard error is 0.01 / sqrt(20) = 0.002 dB.
    assert first.flattered_db == pytest.approx(0.05, abs=0.009)
    assert first.error_db == pytest.approx(0.0022, rel=0.5)
    assert first.early_db - first.late_db == pytest.approx(first.flattered_db)
    assert first.certain
    assert last.flattered_db < 0
    assert not any(one.certain for one in head_starts(kinds, late, late))


def test_a_setting_that_leaves_the_plateau_early_is_said_to_be_flattered() -> None:
    curves, networks = made_up(noise_db=0.003, spread_db=0.02)
    fast = set(networks.loc[networks["kind"] == "split", "hash"])
    ahead = curves["hash"].isin(fast) & (curves["step"] < 450)
    curves.loc[ahead, "psnr_y_db"] += 0.1
    found = judged(curves, networks)
    assert (found.settings[0].setting, found.settings[0].certain) == ("kind = split", True)
    assert found.plateau.half_from is None
    told = findings(found)
    # Ahead of all networks, of which about half are its like.
    assert found.settings[0].flattered_db == pytest.approx(0.05, abs=0.02)
    assert any("The proxy flatters kind = split by 0.0" in text for text in told)
    assert any("wrongs kind = plain" in text for text in told)


def late_starters(ends_at: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Networks that all are worth the same, but for chance, before a step."""
    curves, networks = made_up(noise_db=0.01)
    rng = np.random.default_rng(1)
    before = curves["step"] < ends_at
    curves.loc[before, "psnr_y_db"] = 27 + rng.normal(0, 0.1, int(before.sum()))
    return curves, networks


def test_the_plateau_ends_where_the_ranking_begins_to_tell() -> None:
    found = judged(*late_starters(90), proxy_step=30)
    assert found.plateau.tells_from == 90
    assert "Train 3.0 times longer (90 steps, half of the ceiling or more)" in findings(found)[1]
    found = judged(*late_starters(450))
    assert found.plateau.tells_from is None
    assert "no better than chance might" in findings(found)[0]
    assert "No ranking of 90 steps or fewer tells of 450 steps" in findings(found)[1]


def test_size_alone_is_not_taken_for_insight() -> None:
    # The short training sees the price and nothing else: its tau overall is high all the same.
    curves, networks = made_up(seeds=3, noise_db=0.0, spread_db=0.02)
    size = networks.set_index("hash")["params"].map(math.log)
    curves["psnr_y_db"] += curves["hash"].map(size) * 0.5
    rng = np.random.default_rng(2)
    short = curves["step"] < 450
    blind = 27 + 0.5 * curves.loc[short, "hash"].map(size) + rng.normal(0, 0.02, int(short.sum()))
    curves.loc[short, "psnr_y_db"] = blind
    found = judged(curves, networks)
    assert found.proxy.tau.value > 0.8
    assert found.proxy.tau_at_price.low < 0 < found.proxy.tau_at_price.high
    assert found.ceiling.tau_at_price.value == 1.0
    params = next(signal for signal in found.signals if signal.name == "params")
    assert math.isnan(params.tau_at_price.value)
    assert params.tau.value > 0.8


def test_too_few_networks_for_an_equal_price() -> None:
    curves, networks = made_up(4)
    found = judged(curves, networks)
    assert math.isnan(found.proxy.tau_at_price.value)
    assert "4 networks are too few to compare at equal price" in findings(found)[0]


def test_other_prices_are_taken_out_as_well() -> None:
    curves, networks = made_up()
    networks["latency_ms"] = math.nan
    found = judged(curves, networks, prices=("latency_ms", "params", "macs"))
    assert found.prices == ("params", "macs")
    macs = next(signal for signal in found.signals if signal.name == "macs")
    assert math.isnan(macs.tau_at_price.value)
    assert judged(curves, networks, prices=("latency_ms",)).prices == ("params",)
