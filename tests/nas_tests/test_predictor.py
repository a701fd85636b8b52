"""Predictions from what is known of a network before it is trained."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from nas.audit.ranking import kendall
from nas.predictor import ZERO_COST, described, design, predicted
from search_spaces import preset


def test_is_leave_one_out() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3))
    y = x @ [1.0, 2.0, 0.0] + rng.normal(0, 0.1, 30)
    before = predicted(x, y)
    y[7] += 0.05
    # The own figure reaches its prediction only by the mean of all.
    assert abs(predicted(x, y)[7] - before[7]) < 0.05 / 30 * 2
    assert kendall(before, y) > 0.8


def test_features_that_say_nothing_do_not_rank_backwards() -> None:
    rng = np.random.default_rng(1)
    taus = []
    for _ in range(20):
        y = rng.normal(size=30)
        taus.append(kendall(predicted(rng.normal(size=(30, 4)), y), y))
    # Leaving the mean out too would make every one of these about -1.
    assert np.mean(taus) > -0.4


def test_networks_without_a_figure_are_predicted_too() -> None:
    x = np.arange(10.0)[:, None] - 4.5
    y = np.arange(10.0)
    y[9] = np.nan
    assert predicted(x, y)[9] == pytest.approx(9, abs=0.5)
    assert np.isnan(predicted(x, np.full(10, np.nan))).all()


def test_design_takes_what_varies() -> None:
    frame = pd.DataFrame(
        {
            "params": [10, 100, 1000],
            "kind": ["a", "b", "a"],
            "rate": [0.5, None, 0.25],
            "same": [1, 1, 1],
            "latency_ms": [1.0, 2.0, 3.0],
        }
    )
    matrix = design(frame)
    # params; a and b; 0.25, 0.5 and missing.
    assert matrix.shape == (3, 6)
    assert matrix[:, 0] == pytest.approx(np.array([-1, 0, 1]) * math.sqrt(1.5))
    assert matrix.mean(axis=0) == pytest.approx(0)


def test_presets_are_described() -> None:
    flat = described(preset("lmswn", scale=4).to_dict())
    assert flat["channels"] == 56.0
    assert flat["blocks"] == 6.0
    assert flat["blocks.attention.kind"] == "esa"
    assert all(isinstance(value, (float, str)) for value in flat.values())


def test_scores_are_no_settings() -> None:
    frame = pd.DataFrame({"params": [10, 100], **{name: [1.0, 2.0] for name in ZERO_COST}})
    assert design(frame).shape == (2, 1)
