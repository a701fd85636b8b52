"""Predictions from what is known of a network before it is trained."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from nas.predictor import ZERO_COST, described, design, design_of, predicted
from search_spaces import preset


def test_is_leave_one_out() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 3))
    y = x @ [1.0, 2.0, 0.0] + rng.normal(0, 0.1, 30)
    before = predicted(x, y)
    y[7] += 0.05
    # The own figure reaches its prediction only by the mean of all.
    assert abs(predicted(x, y)[7] - before[7]) < 0.05 / 30 * 2
    assert kendalltau(before, y).statistic > 0.8


def test_features_that_say_nothing_do_not_rank_backwards() -> None:
    rng = np.random.default_rng(1)
    taus = []
    for _ in range(20):
        y = rng.normal(size=30)
        taus.append(kendalltau(predicted(rng.normal(size=(30, 4)), y), y).statistic)
    # Leaving the mean out too would make every one of these about -1.
    assert np.mean(taus) > -0.4


def test_is_what_leaving_one_out_gives() -> None:
    rng = np.random.default_rng(0)
    # More features than networks, and one of them twice.
    x = rng.normal(size=(12, 15))
    x[:, 1] = x[:, 0]
    y = x @ rng.normal(size=15) + rng.normal(0, 0.1, 12)
    centred, mean = x - x.mean(axis=0), y.mean()
    errors, found = [], []
    for penalty in np.geomspace(1e-2, 1e4, 25):
        guesses = []
        for k in range(12):
            others, rest = np.delete(centred, k, axis=0), np.delete(y, k) - mean
            square = others.T @ others + penalty * np.eye(15)
            guesses.append(mean + centred[k] @ np.linalg.solve(square, others.T @ rest))
        found.append(guesses)
        errors.append(((y - guesses) ** 2).mean())
    assert predicted(x, y) == pytest.approx(np.array(found[int(np.argmin(errors))]))


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


def test_a_design_of_networks_told_one_by_one_is_that_of_their_frame() -> None:
    told = [
        {**described(preset(name).to_dict()), "params": params}
        for name, params in (("rfdn", 1e5), ("imdn", 2e5), ("rlfn", 3e5), ("mrdn", 2e5))
    ]
    assert (design_of(told) == design(pd.DataFrame(told))).all()


def test_presets_are_described() -> None:
    flat = described(preset("lmswn", scale=4).to_dict())
    assert flat["channels"] == 56.0
    assert flat["blocks"] == 6.0
    assert flat["blocks.attention.kind"] == "esa"
    assert all(isinstance(value, (float, str)) for value in flat.values())


def test_blocks_by_their_bare_name_and_no_blocks_are_described() -> None:
    assert described({"blocks": ["spab"]}) == {"blocks": 1.0, "blocks.kind": "spab"}
    assert described({"blocks": []}) == {"blocks": 0.0}


def test_scores_are_no_settings() -> None:
    frame = pd.DataFrame({"params": [10, 100], **{name: [1.0, 2.0] for name in ZERO_COST}})
    assert design(frame).shape == (2, 1)
