"""Rankings compared: taus, recalls, bands and their bootstrap."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau

from nas.audit.ranking import (
    estimate,
    interval,
    recall_count,
    replicates,
    tau_weights,
    top_recall,
)
from search_spaces.errors import InputError

Values = npt.NDArray[np.float64]

# Few different values, so that ties are common.
tied = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.integers(-3, 3).map(float)),
        arrays(np.float64, n, elements=st.integers(-3, 3).map(float)),
    )
)
distinct = st.lists(st.integers(-1000, 1000), min_size=2, max_size=20, unique=True).map(
    lambda values: np.array(values, dtype=np.float64)
)


def kendall(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    return float(tau_weights(first, second, np.ones((1, np.size(first))))[0])


class TestKendall:
    @settings(deadline=None)
    @given(tied)
    def test_is_scipys(self, pair: tuple[Values, Values]) -> None:
        expected = kendalltau(*pair).statistic
        assert kendall(*pair) == pytest.approx(expected, nan_ok=True)

    @settings(deadline=None)
    @given(distinct)
    def test_agreement_and_reversal(self, values: Values) -> None:
        assert kendall(values, np.exp(values / 1000)) == pytest.approx(1.0)
        assert kendall(values, -values) == pytest.approx(-1.0)

    @settings(deadline=None)
    @given(tied)
    def test_is_symmetric_and_bounded(self, pair: tuple[Values, Values]) -> None:
        tau = kendall(*pair)
        assume(math.isfinite(tau))
        assert -1 <= tau <= 1
        assert kendall(*pair[::-1]) == pytest.approx(tau)

    def test_a_diverged_network_is_the_worst(self) -> None:
        assert kendall([1, 2, np.nan], [5, 6, 4]) == 1.0
        assert kendall([1, 2, np.nan], [5, 6, 7]) == pytest.approx(-1 / 3)

    def test_nothing_ordered_is_unknown(self) -> None:
        assert math.isnan(kendall([1, 1, 1], [1, 2, 3]))
        assert math.isnan(kendall([1], [2]))

    def test_samples_may_have_figures_of_their_own(self) -> None:
        ours = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
        taus = tau_weights(ours, [1.0, 2.0, 3.0], np.ones((2, 3)))
        assert taus.tolist() == [1.0, -1.0]

    def test_many_samples_are_those_that_few_are(self, monkeypatch: pytest.MonkeyPatch) -> None:
        a, b = np.random.default_rng(0).normal(size=(2, 9))
        weights = replicates(9, 40)
        whole = tau_weights(a, b, weights)
        monkeypatch.setattr("nas.audit.ranking._AT_ONCE", 100)
        np.testing.assert_array_equal(tau_weights(a, b, weights), whole)

    @settings(deadline=None)
    @given(tied, st.integers(0, 2**32 - 1))
    def test_a_weight_is_a_repetition(self, pair: tuple[Values, Values], seed: int) -> None:
        weights = np.random.default_rng(seed).integers(0, 4, len(pair[0]))
        repeated = [np.repeat(values, weights) for values in pair]
        assume(len(repeated[0]) >= 2)
        tau = tau_weights(*pair, weights[None].astype(np.float64))[0]
        assert tau == pytest.approx(kendalltau(*repeated).statistic, nan_ok=True)

    @pytest.mark.parametrize("other", [[1.0, 2.0], [[1.0], [2.0], [3.0]]])
    def test_rejects_other_shapes(self, other: list[float]) -> None:
        with pytest.raises(InputError, match="got"):
            kendall([1, 2, 3], other)


class TestRecall:
    @settings(deadline=None)
    @given(tied, st.integers(1, 12))
    def test_is_bounded(self, pair: tuple[Values, Values], count: int) -> None:
        assume(count <= len(pair[0]))
        assert 0.0 <= top_recall(*pair, count) <= 1.0 + 1e-12

    @settings(deadline=None)
    @given(tied, st.integers(1, 12))
    def test_the_truth_finds_itself(self, pair: tuple[Values, Values], count: int) -> None:
        assume(count <= len(pair[0]))
        assert top_recall(pair[0], pair[0], count) == pytest.approx(1.0)

    @settings(deadline=None)
    @given(distinct)
    def test_all_of_all(self, values: Values) -> None:
        assert top_recall(-values, values, len(values)) == pytest.approx(1.0)

    @settings(deadline=None)
    @given(distinct)
    def test_a_constant_is_a_draw(self, values: Values) -> None:
        count = recall_count(len(values))
        drawn = top_recall(np.zeros(len(values)), values, count)
        assert drawn == pytest.approx(count / len(values))

    def test_reversed_finds_nothing(self) -> None:
        assert top_recall([4, 3, 2, 1], [1, 2, 3, 4], 2) == 0.0

    @pytest.mark.parametrize("count", [0, 4])
    def test_rejects_counts_there_are_not(self, count: int) -> None:
        with pytest.raises(InputError, match="expected k from 1 to 3"):
            top_recall([1, 2, 3], [1, 2, 3], count)


class TestBootstrap:
    def test_draws_as_many_networks_as_there_are(self) -> None:
        weights = replicates(5, 50)
        assert weights.shape == (50, 5)
        assert (weights.sum(axis=1) == 5).all()

    def test_interval_leaves_out_what_is_unknown(self) -> None:
        ends = interval([np.nan, *np.linspace(0, 1, 101)])
        assert ends == pytest.approx((0.05, 0.95))
        assert all(math.isnan(end) for end in interval([np.nan]))

    def test_covers_the_truth(self) -> None:
        # 60 networks, tau about 0.6: nine of ten intervals should hold the true value;
        # fewer than 15 of 20 would have a chance of 1% (binomial).
        rng = np.random.default_rng(0)
        correlation = math.sin(0.6 * math.pi / 2)
        held = 0
        for _ in range(20):
            a, b = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], 60).T
            weights = replicates(60, 300)
            found = estimate(kendall(a, b), tau_weights(a, b, weights))
            held += found.low <= 0.6 <= found.high
        assert held >= 15
