"""What the benchmark of seed noise makes of its rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks import proxy_noise
from nas.training.recipe import profile


def rows(networks: int = 40, seeds: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    params = np.geomspace(5e4, 6e5, networks).astype(int)
    lead = rng.normal(0, 0.2, networks)
    found: list[dict[str, Any]] = []
    for n in range(networks):
        for seed in range(seeds):
            for step in (180, 360):
                found.append(
                    {
                        "data": "embedded 00", "profile": "quick", "recipe": "abc",
                        "hash": f"{n:04}", "seed": seed, "kind": "drawn", "params": params[n],
                        "macs": params[n] * 1000, "step": step,
                        "psnr_y_db": 20 + np.log(params[n]) + lead[n] + rng.normal(0, 0.03),
                        "ssim_y": 0.8 + rng.normal(0, 0.001), "seconds": 1.0,
                    }
                )  # fmt: skip
    return pd.DataFrame(found)


def test_noise_and_spread_come_out() -> None:
    half, whole = proxy_noise.figures(rows())
    assert (half["step"], whole["step"]) == (180, 360)
    assert (whole["networks"], whole["seeds"], whole["diverged"]) == (40, 3, 0)
    # 78 degrees of freedom: a standard error of 8%.
    assert whole["psnr_y_db"]["noise"] == pytest.approx(0.03, rel=0.3)
    assert whole["ssim_y"]["noise"] == pytest.approx(0.001, rel=0.3)
    assert whole["psnr_y_db"]["freedom"] == 78
    assert len(whole["psnr_y_db"]["each_network"]) == 40
    # 37 degrees of freedom: a standard error of 12%; the price alone makes 0.7 dB.
    assert whole["psnr_y_db"]["spread_at_price"] == pytest.approx(0.2, rel=0.4)
    line = yaml.safe_load(proxy_noise.yaml_line(whole))
    assert line["quick"]["psnr_db"] == pytest.approx(whole["psnr_y_db"]["noise"], abs=1e-4)
    assert line["quick"]["measured"] is True


def test_a_diverged_training_is_counted_and_left_out() -> None:
    table = rows()
    table.loc[table.index[-1], ["psnr_y_db", "ssim_y"]] = np.nan
    _, whole = proxy_noise.figures(table)
    assert whole["diverged"] == 1
    assert whole["psnr_y_db"]["freedom"] == 77


def test_what_the_image_skip_is_worth() -> None:
    table = rows(12, 2)
    with_, without = table.iloc[:1].copy(), table.iloc[:1].copy()
    with_["kind"], without["kind"] = "e_rfdn", "e_rfdn without image skip"
    without["psnr_y_db"] -= 0.7
    half, whole = proxy_noise.figures(pd.concat([table, with_, without]))
    assert half["skip_gain_db"] == pytest.approx(0.7)
    assert "skip_gain_db" not in whole
    assert half["networks"] == 12


def test_a_recipe_is_known_whatever_its_seed() -> None:
    quick = profile("quick")
    assert proxy_noise.recipe_name(quick) == proxy_noise.recipe_name(quick.replace(seed=5))
    assert proxy_noise.recipe_name(quick) != proxy_noise.recipe_name(quick.replace(steps=361))


def test_rows_are_added_to_those_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_noise, "ROWS", tmp_path / "rows.csv")
    assert len(proxy_noise.read_rows()) == 0
    table = rows(3, 2)
    for part in (table.iloc[:2], table.iloc[2:]):
        proxy_noise._append(part.to_dict("records"))  # type: ignore[arg-type]
    again = proxy_noise.read_rows()
    assert again["hash"].tolist() == table["hash"].tolist()
    assert proxy_noise._is_there(("embedded 00", "quick", "abc", "0002", 1))
    assert not proxy_noise._is_there(("embedded 00", "quick", "abc", "0002", 2))
