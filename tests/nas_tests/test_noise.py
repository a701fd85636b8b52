"""The noise of seeds: one place, by profile, by a run's own audit, and of a difference."""

from __future__ import annotations

import itertools
import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas.audit.measured import measured_noise
from nas.noise import Noise, noise_of, noise_of_run, of_difference, write_noise
from nas.training.recipe import PROFILES, profile
from search_spaces.errors import InputError


def test_a_difference_of_two_has_the_noise_of_both() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.normal(0, 0.04, (20_000, 2))
    # The standard error of a deviation of 20,000 is 0.5%.
    assert (seeds[:, 0] - seeds[:, 1]).std() == pytest.approx(of_difference(0.04), rel=0.02)
    noise = Noise(0.04, 0.001, 0.02)
    assert noise.between("psnr") == pytest.approx(math.sqrt(2) * 0.04)
    assert noise.between("ssim") == pytest.approx(math.sqrt(2) * 0.001)
    assert noise.between("latency", 20.0) == pytest.approx(math.sqrt(2) * 0.4)
    assert noise.between("params", 1e6) == noise.between("memory", 9.0) == 0.0


def test_every_profile_has_its_noise_and_longer_ones_less() -> None:
    found = [noise_of(name, profile(name).steps) for name in PROFILES]
    # After a dozen steps networks have hardly begun to part.
    assert found[0].psnr_db > 0
    for ours, longer in itertools.pairwise(found[1:]):
        assert ours.psnr_db >= longer.psnr_db > 0
        assert ours.ssim >= longer.ssim > 0
    assert all(0 < one.latency < 0.5 for one in found)
    assert found[1].source == "the quick profile"


@pytest.mark.parametrize(
    ("steps", "name"),
    [
        (1, "smoke"),
        (profile("quick").steps - 1, "smoke"),
        (profile("quick").steps, "quick"),
        (profile("standard").steps - 1, "quick"),
        (10**9, "full"),
    ],
)
def test_a_recipe_of_ones_own_has_that_of_the_longest_shorter_profile(
    steps: int, name: str
) -> None:
    found = noise_of("custom", steps)
    assert found.psnr_db == noise_of(name, 0).psnr_db
    assert found.source == f"the {name} profile, the nearest known"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    os.mkfifo(tmp_path / "audit" / "noise.json")
    with pytest.raises(InputError, match="expected the noise that nas audit writes"):
        noise_of_run(tmp_path, "quick", 360)


def test_an_audited_run_has_its_own(tmp_path: Path) -> None:
    assert noise_of_run(tmp_path / "not there", "quick", 360) == noise_of("quick", 360)
    own = Noise(0.0123, 0.0004, 0.03, "this run's audit")
    path = write_noise(tmp_path, own)
    assert path == tmp_path / "audit" / "noise.json"
    assert noise_of_run(tmp_path, "quick", 360) == own


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        json.dumps({"psnr_db": "a", "ssim": 0, "latency": 0, "source": ""}),
        json.dumps({"psnr_db": -1, "ssim": 0, "latency": 0, "source": ""}),
    ],
)
def test_a_damaged_file_is_one_line(text: str, tmp_path: Path) -> None:
    write_noise(tmp_path, Noise(0.01)).write_text(text)
    with pytest.raises(InputError, match="expected the noise that nas audit writes"):
        noise_of_run(tmp_path, "quick", 360)


def test_noise_is_not_negative() -> None:
    with pytest.raises(InputError, match="expected psnr_db of 0 or more"):
        Noise(-0.1)


def trainings(networks: int, seeds: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        (f"{n}", seed, step, 28 + n + seed + rng.normal(0, 0.03), 0.8 + rng.normal(0, 0.001))
        for n in range(networks)
        for seed in range(seeds)
        for step in (360, 1800)
    ]
    return pd.DataFrame(rows, columns=["hash", "seed", "step", "psnr_y_db", "ssim_y"])


def test_an_audit_measures_it() -> None:
    known = noise_of("quick", 360)
    found = measured_noise(trainings(60, 3), 360, known)
    assert found is not None
    # 118 degrees of freedom: a standard error of 6.5%.
    assert found.psnr_db == pytest.approx(0.03, rel=0.25)
    assert found.ssim == pytest.approx(0.001, rel=0.25)
    assert found.latency == known.latency
    assert found.source == "this run's audit, 60 networks, 3 seeds"


@pytest.mark.parametrize(("networks", "seeds"), [(5, 2), (60, 1), (0, 2)])
def test_too_little_measures_nothing(networks: int, seeds: int) -> None:
    assert measured_noise(trainings(networks, seeds), 360, Noise(0.04)) is None
