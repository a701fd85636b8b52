"""The verdict on made-up curves, of which the truth is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nas.audit.equals import cost_bands
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
    options = {"proxy_step": 90, "long_step": 450, "band_count": 4, "samples": 200} | options
    return trust(curves, networks, **options)


def test_a_proxy_without_noise_is_perfect() -> None:
    found = judged(*made_up(noise_db=0.0))
    assert found.proxy.tau.value == found.proxy.tau_in_bands.value == 1.0
    assert found.proxy.ratio.value == found.proxy.recall == found.proxy.recall_in_bands == 1.0
    assert found.noise_db == pytest.approx(0.0, abs=1e-9)
    assert found.ceiling.tau.value == 1.0
    assert all(band.equals == 1 for band in found.bands)
    assert "about as far as a long training" in findings(found)[0]


def test_what_is_known_comes_out() -> None:
    found = judged()
    assert found.noise_db == pytest.approx(0.02, rel=0.3)
    assert found.seeds == (0, 1)
    assert [signal.step for signal in found.signals if signal.kind == "rung"] == [10, 30, 90]
    assert [signal.name for signal in found.signals if signal.kind == "extrapolated"] == [
        "drawn on, last two", "drawn on, power law", "shrunk to its kind",
    ]  # fmt: skip
    proxy = found.proxy.tau_in_bands
    assert proxy.low <= proxy.value <= proxy.high
    assert found.band == tuple(sorted(found.band))
    assert found.bands[0].high_params < found.bands[1].low_params


def test_noise_alone_is_said_to_be_noise() -> None:
    found = judged(*made_up(spread_db=0.0))
    assert "choose among them by cost" in findings(found)[0]
    # Of equal networks about 95% lie within the margin below the best of ten, which is no
    # typical one: at least some must.
    assert all(band.equals > 1 for band in found.bands)
    assert any("times less multi-adds" in text for text in findings(found))


def test_the_same_seed_says_nothing_of_the_ceiling() -> None:
    found = judged(*made_up(seeds=1))
    assert found.seeds == (0,)
    assert math.isnan(found.ceiling.tau.value)
    assert math.isnan(found.proxy.ratio.value)
    assert math.isfinite(found.proxy.tau.value)
    assert "only a second seed can tell" in findings(found)[0]
    assert len(findings(found)) == 2


def test_seeds_are_compared_with_others() -> None:
    # Every seed agrees with itself and reverses the other: only crossed pairs see that.
    curves, networks = made_up(12, noise_db=0.0)
    curves.loc[curves["seed"] == 1, "psnr_y_db"] *= -1
    found = judged(curves, networks, band_count=1)
    assert found.proxy.tau.value == -1.0
    assert found.ceiling.tau.value == -1.0
    assert math.isnan(found.proxy.ratio.value)


def test_networks_without_every_long_training_only_teach() -> None:
    curves, networks = made_up()
    lacking = (curves["hash"] > "net19") & (curves["step"] == 450) & (curves["seed"] == 1)
    found = judged(curves[~lacking], networks)
    assert len(found.hashes) == 20
    alone = judged(curves[curves["hash"] <= "net19"], networks)
    assert alone.proxy == found.proxy
    assert alone.signals[-1] != found.signals[-1]


def test_a_diverged_network_counts_as_worst() -> None:
    curves, networks = made_up(noise_db=0.0)
    best = str(curves["hash"].iloc[int(curves["psnr_y_db"].argmax())])
    curves.loc[(curves["hash"] == best) & (curves["step"] == 450), "psnr_y_db"] = np.nan
    found = judged(curves, networks)
    assert found.proxy.tau.value < 1.0
    assert sum(math.isnan(value) for value in found.long_db) == 1
    assert best not in {band.best for band in found.bands}


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
    (band,) = cost_bands(networks, [30.0, 29.99, 29.98, 29.0], [0, 0, 0, 0], 0.02, 2)
    assert (band.best, band.equals) == ("a", 3)
    by_cost = {saving.cost: saving for saving in band.savings}
    assert (by_cost["params"].hash, by_cost["params"].ratio) == ("c", 2.0)
    assert (by_cost["macs"].hash, by_cost["macs"].ratio) == ("c", 4.0)
    assert by_cost["macs"].below_db == pytest.approx(0.02)


def test_head_starts() -> None:
    rng = np.random.default_rng(0)
    kinds = pd.DataFrame({"kind": ["fast", "slow"] * 20})
    long = rng.normal(28, 0.3, 40)
    proxy = long - 0.5 + np.where(kinds["kind"] == "fast", 0.05, 0.0) + rng.normal(0, 0.01, 40)
    first, last = head_starts(kinds, proxy, long, np.arange(40) // 10)
    assert (first.setting, last.setting) == ("kind = fast", "kind = slow")
    # The standard error is 0.01 * sqrt(2 / 20) = 0.003 dB.
    assert first.flattered_db == pytest.approx(0.05, abs=0.012)
    assert first.certain
    assert last.flattered_db == pytest.approx(-first.flattered_db)
    assert not any(one.certain for one in head_starts(kinds, long, long, np.zeros(40)))
