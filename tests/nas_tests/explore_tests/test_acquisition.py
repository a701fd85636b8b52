"""Which of several candidates is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.explore.acquisition import Known, _points, most_promising, priced
from nas.records import FINISHED, TrialRecord

OBJECTIVES = ("psnr", "params")


def network(params: float, kind: str, psnr: float | None = None) -> Known:
    prices = {"params": params, "macs": 1e3 * params, "activations": 1e2 * params}
    figures = {**prices} if psnr is None else {**prices, "psnr": psnr}
    return Known({"channels": 8, "kind": kind}, prices, figures)


def past(count: int, noise_db: float, gain_db: float = 0.3) -> list[Known]:
    """Networks of two kinds, of which one is better at every price."""
    rng = np.random.default_rng(0)
    made = []
    for k in range(count):
        params, kind = float(rng.uniform(1e4, 1e5)), ("good", "bad")[k % 2]
        worth = 20 + 2 * np.log10(params) + gain_db * (kind == "good") + rng.normal(0, noise_db)
        made.append(network(params, kind, float(worth)))
    return made


def test_what_adds_most_to_the_front_is_trained() -> None:
    candidates = [network(5e4, "bad"), network(5e4, "good"), network(9e4, "bad")]
    assert most_promising(candidates, past(30, 0.02), OBJECTIVES) == 1


def test_a_gap_in_the_front_is_filled_first() -> None:
    known = [one for one in past(60, 0.001) if not 3e4 < one.prices["params"] < 7e4]
    at = [one.prices["params"] for one in known]
    near = min(at, key=lambda params: abs(params - 9e4))
    candidates = [network(near * 1.0001, "good"), network(4e4, "good")]
    assert most_promising(candidates, known, OBJECTIVES) == 1


def test_the_sampler_is_followed_where_nothing_is_explained() -> None:
    rng = np.random.default_rng(1)
    luck = [network(1e4 + k, ("good", "bad")[k % 2], float(rng.normal(28, 1))) for k in range(40)]
    candidates = [network(5e4, "bad"), network(5e4, "good")]
    assert most_promising(candidates, luck, OBJECTIVES) == 0
    assert most_promising(candidates, past(9, 0.02), OBJECTIVES) == 0


def test_another_unknown_objective_is_predicted_as_well() -> None:
    known = [
        Known(
            one.architecture, one.prices, {**one.figures, "latency": np.log(one.prices["params"])}
        )
        for one in past(30, 0.02)
    ]
    candidates = [network(5e4, "bad"), network(5e4, "good")]
    assert most_promising(candidates, known, ("psnr", "latency")) == 1


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.floats(1e3, 1e6), st.sampled_from(["good", "bad", "new"])), min_size=1),
    st.integers(0, 30),
)
def test_one_of_the_candidates_is_chosen(given: Sequence[tuple[float, str]], count: int) -> None:
    candidates = [network(params, kind) for params, kind in given]
    known = past(count, 0.1)
    index = most_promising(candidates, known, OBJECTIVES)
    assert 0 <= index < len(candidates)
    assert index == most_promising(candidates, known, OBJECTIVES)


def test_one_far_off_by_a_score_does_not_make_the_others_alike() -> None:
    def scored(one: Known, score: float) -> Known:
        return Known(one.architecture, one.prices, {**one.figures, "esr_score": score})

    known = [scored(one, one.prices["params"] / 1e4) for one in past(30, 0.02)]
    known.append(scored(network(1e5, "bad", 29.0), 1e9))
    candidates = [scored(network(9e4, "good"), score) for score in (9.0, 2.0)]
    points, _ = _points([*known, *candidates], ("psnr", "esr_score"), len(known))
    extent = np.ptp(points[: len(known), 1])
    assert (points[-2, 1] - points[-1, 1]) / extent > 0.05


def test_a_record_that_lost_a_price_is_not_gone_by() -> None:
    whole = TrialRecord(0, FINISHED, params=9, macs=90, activations=900)
    assert priced(whole)
    assert not priced(replace(whole, macs=None))
