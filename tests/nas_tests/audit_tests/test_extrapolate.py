"""Curves drawn on, figures shrunk, and seed noise."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from nas.audit.extrapolate import log_linear, power_exponent, power_law, shrunk
from nas.audit.noise import (
    freedom,
    indistinct_db,
    least_difference_db,
    seed_mean,
    seed_noise_db,
)
from search_spaces.errors import InputError

Values = npt.NDArray[np.float64]

STEPS = [100, 300, 900]


def power_curves(exponent: float, steps: list[int]) -> Values:
    """Networks of which some start fast and end low: a - b * steps^-c."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(28, 29, (20, 1)), rng.uniform(5, 9, (20, 1))
    curves: Values = a - b * np.array(steps, dtype=np.float64) ** -exponent
    return curves


class TestCurves:
    @settings(deadline=None, max_examples=25)
    @given(st.floats(0.1, 1.5))
    def test_a_power_law_is_found_again(self, exponent: float) -> None:
        curves = power_curves(exponent, [*STEPS, 5000])
        assert power_exponent(curves[:, :3], STEPS) == pytest.approx(exponent, rel=0.03)
        drawn = power_law(curves[:, :3], STEPS, 5000)
        raw_error = np.abs(curves[:, 2] - curves[:, 3]).max()
        assert np.abs(drawn - curves[:, 3]).max() < max(0.1 * raw_error, 1e-3)

    def test_drawing_on_ranks_better_where_curves_cross(self) -> None:
        curves = power_curves(0.3, [*STEPS, 5000])
        raw = kendalltau(curves[:, 2], curves[:, 3]).statistic
        for drawn_on in (power_law, log_linear):
            drawn = drawn_on(curves[:, :3], STEPS, 5000)
            assert kendalltau(drawn, curves[:, 3]).statistic > raw

    def test_a_line_over_log_steps_is_drawn_on(self) -> None:
        curves = 20 + np.log(np.array([STEPS]))
        assert log_linear(curves, STEPS, 2700)[0] == pytest.approx(20 + math.log(2700))

    def test_a_diverged_network_stays_unknown(self) -> None:
        curves = power_curves(0.5, STEPS)
        curves[3, 2] = np.nan
        drawn = power_law(curves, STEPS, 5000)
        assert np.flatnonzero(np.isnan(drawn)).tolist() == [3]

    @pytest.mark.parametrize("steps", [[100], [300, 100, 900], [0, 100, 900]])
    def test_rejects_steps_that_do_not_rise(self, steps: list[int]) -> None:
        with pytest.raises(InputError, match="curves need"):
            log_linear(np.ones((4, len(steps))), steps, 5000)


class TestShrinking:
    def test_noise_alone_is_taken_away(self) -> None:
        rng = np.random.default_rng(0)
        kind = rng.normal(28, 1, 200)
        values = kind + rng.normal(0, 0.1, 200)
        assert np.abs(shrunk(values, kind, 0.1) - kind).max() < 0.06

    @settings(deadline=None)
    @given(st.floats(0, 10))
    def test_lies_between(self, noise_db: float) -> None:
        kind, values = np.zeros(3), np.array([-1.0, 0.0, 2.0])
        found = shrunk(values, kind, noise_db)
        assert (np.abs(found) <= np.abs(values)).all()
        assert (found * values >= 0).all()

    def test_no_noise_changes_nothing(self) -> None:
        assert shrunk([1.0, 2.0], [0.0, 0.0], 0.0).tolist() == [1.0, 2.0]


class TestNoise:
    def test_is_found_again(self) -> None:
        rng = np.random.default_rng(0)
        quality, luck = rng.normal(28, 1, (400, 1)), np.array([[0.0, 0.5]])
        values = quality + luck + rng.normal(0, 0.03, (400, 2))
        # The standard error of a deviation from 400 pairs is 3.5%.
        assert seed_noise_db(values) == pytest.approx(0.03, rel=0.15)

    def test_needs_two_seeds(self) -> None:
        assert math.isnan(seed_noise_db(np.ones((5, 1))))
        assert math.isnan(seed_noise_db([[1.0, 2.0], [1.0, math.nan]]))

    def test_networks_that_lack_a_seed_count_as_far_as_they_go(self) -> None:
        rng = np.random.default_rng(0)
        quality, luck = rng.normal(28, 1, (300, 1)), np.array([[0.0, 0.5, -0.3]])
        values = quality + luck + rng.normal(0, 0.03, (300, 3))
        values[:150, 2] = np.nan
        values[:20, 1] = np.nan
        assert freedom(values) == 280 + 150 - 2
        # The standard error of a deviation from 428 degrees of freedom is 3.4%.
        assert seed_noise_db(values) == pytest.approx(0.03, rel=0.14)
        means = seed_mean(values) - quality[:, 0]
        # No network is ahead by the luck of the seeds that it has.
        assert means[:20].mean() == pytest.approx(means[150:].mean(), abs=0.03)

    def test_differences(self) -> None:
        rng = np.random.default_rng(0)
        singles = rng.normal(0, 0.02, (20000, 2))
        inside = np.abs(singles[:, 0] - singles[:, 1]) < least_difference_db(0.02)
        assert inside.mean() == pytest.approx(0.95, abs=0.01)
        means = rng.normal(0, 0.02, (20000, 2, 3)).mean(axis=2)
        below = means[:, 0] - means[:, 1] < indistinct_db(0.02, 3)
        assert below.mean() == pytest.approx(0.95, abs=0.01)
