"""What stopped networks would be worth at the end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.explore.estimate import final_figures
from nas.explore.sampler_view import estimates
from nas.records import FAILED, FINISHED, STOPPED, Rung, TrialRecord

STEPS = (40, 120, 360)


def record(number: int, params: int, *psnr: float, state: str = STOPPED) -> TrialRecord:
    rungs = tuple(Rung(s, p, p / 40, 1.0) for s, p in zip(STEPS, psnr, strict=False))
    final = psnr[-1] if len(psnr) == len(STEPS) else None
    return TrialRecord(number, state, params=params, psnr_y_db=final, rungs=rungs)


def test_what_is_known_stays_as_it_is() -> None:
    done = [record(k, 1000 * (k + 1), 28.0, 29.0, 30.0 + k, state=FINISHED) for k in range(3)]
    assert final_figures(done, "psnr_y_db", STEPS) == [30.0, 31.0, 32.0]


def test_without_any_promotion_the_figures_stand_for_themselves() -> None:
    stopped = [record(k, 1000, 28.0 + k) for k in range(3)]
    assert final_figures(stopped, "psnr_y_db", STEPS) == [28.0, 29.0, 30.0]


def test_the_mean_gain_is_added() -> None:
    records = [record(0, 1000, 28.0, 29.0, 29.5, state=FINISHED), record(1, 1000, 28.0)]
    assert final_figures(records, "psnr_y_db", STEPS) == [29.5, pytest.approx(29.5)]
    assert final_figures(records, "ssim_y", STEPS)[1] == pytest.approx(29.5 / 40)


def test_large_networks_gain_more_where_they_did() -> None:
    rng = np.random.default_rng(0)
    records = []
    for k in range(20):
        size = 1000 * 2 ** (k % 8)
        gain = 0.2 * math.log(size)
        first = 28.0 + rng.normal(0, 0.1)
        last = (first + gain, first + gain + 0.5) if k < 12 else ()
        records.append(record(k, size, first, *last, state=FINISHED if last else STOPPED))
    small, large = (record(90, size, 28.0) for size in (1000, 128_000))
    found = final_figures([*records, small, large], "psnr_y_db", STEPS)
    assert found[-1] is not None
    assert found[-2] is not None
    # 0.2 ln(128) = 0.97 dB, drawn a little towards the mean.
    assert 0.7 < found[-1] - found[-2] < 1.0


def test_a_rung_that_tells_nothing_counts_little() -> None:
    rng = np.random.default_rng(1)
    firsts = rng.normal(28, 0.2, 30)
    records = [record(k, 1000, first, 29.0, 30.0, state=FINISHED) for k, first in enumerate(firsts)]
    found = final_figures([*records, record(90, 1000, 28.4)], "psnr_y_db", STEPS)
    assert found[-1] == pytest.approx(30.0, abs=0.06)


def test_failed_ones_and_those_without_a_rung_have_none() -> None:
    records = [record(0, 1000, 28.0, state=FAILED), TrialRecord(1, STOPPED, params=3)]
    assert final_figures(records, "psnr_y_db", STEPS) == [None, None]
    assert final_figures([], "psnr_y_db", STEPS) == []
    assert estimates(records, ("psnr", "params"), STEPS) == [None, None]


def test_objectives_keep_their_order_and_exact_prices() -> None:
    records = [record(0, 1000, 28.0), record(1, 2000, 28.0, 29.0, 30.0, state=FINISHED)]
    first, second = estimates(records, ("params", "psnr"), STEPS)
    assert first == [1000.0, pytest.approx(30.0)]
    assert second == [2000.0, 30.0]


@given(
    st.lists(
        st.tuples(st.integers(1, 10**6), st.lists(st.floats(20, 40), min_size=1, max_size=3)),
        max_size=12,
    )
)
def test_estimates_are_finite_and_near_what_was_seen(
    given: list[tuple[int, list[float]]],
) -> None:
    records = [
        record(k, params, *psnr, state=FINISHED if len(psnr) == 3 else STOPPED)
        for k, (params, psnr) in enumerate(given)
    ]
    for found in final_figures(records, "psnr_y_db", STEPS):
        assert found is not None
        assert -200 < found < 260
