"""By how much the figures err by which networks compete."""

from __future__ import annotations

import math

import pytest

from nas.explore.rung_figures import errors
from nas.explore.settings import make_settings
from nas.noise import noise_of


def test_differences_err_by_the_noise_of_both() -> None:
    settings = make_settings(objectives="psnr,ssim,params", noise_db=0.1)
    found = errors([[-30.0, -0.8, 5e5]], settings)
    noise = noise_of("quick", 0)
    assert found == pytest.approx([0.1 * math.sqrt(2), noise.ssim * math.sqrt(2), 0.0])


def test_a_measured_latency_errs_by_a_share_of_itself() -> None:
    settings = make_settings(objectives="psnr,latency")
    rows = errors([[-30.0, 10.0], [-29.0, 20.0], [math.nan, math.nan]], settings)
    share = settings.noise.latency * math.sqrt(2)
    first, second, unknown = rows
    assert first == pytest.approx([settings.noise.between("psnr"), 10 * share])
    assert second == pytest.approx([settings.noise.between("psnr"), 20 * share])
    assert math.isnan(unknown[1])  # type: ignore[index]
