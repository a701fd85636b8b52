"""Price taken out of figures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.audit.price import price_terms, residuals, slopes

Values = npt.NDArray[np.float64]


def networks(count: int = 20) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    params = np.geomspace(1e4, 1e6, count)
    return pd.DataFrame({"params": params, "macs": params * rng.uniform(1e4, 9e4, count)})


def once(values: npt.ArrayLike, terms: Values) -> Values:
    found: Values = residuals(values, terms, np.ones((1, len(terms))))[0]
    return found


@settings(deadline=None)
@given(st.floats(20, 40), st.floats(-2, 2), st.floats(-1, 1))
def test_what_follows_from_the_price_leaves_nothing(a: float, b: float, c: float) -> None:
    log = np.log(networks()["params"].to_numpy())
    rest = once(a + b * log + c * log**2, price_terms(networks(), ["params"]))
    assert rest == pytest.approx(np.zeros(20), abs=1e-6)


def test_the_price_itself_leaves_exactly_nothing() -> None:
    terms = price_terms(networks(), ["params", "macs"])
    for name in ("params", "macs"):
        assert not once(np.log(networks()[name]), terms).any()


def test_a_lead_over_others_of_its_price_stays() -> None:
    log = np.log(networks()["params"].to_numpy())
    values = 20 + log
    values[7] += 1.0
    rest = once(values, price_terms(networks(), ["params"]))
    assert int(np.argmax(rest)) == 7
    assert 0.7 < rest[7] <= 1.0 + 1e-9


def test_one_that_fell_apart_does_not_tilt_the_line() -> None:
    rng = np.random.default_rng(4)
    log = np.log(networks()["params"].to_numpy())
    terms = price_terms(networks(), ["params"])
    values = 20 + log + rng.normal(0, 0.05, 20)
    whole = once(values, terms)
    values[0] -= 4.0
    rest = once(values, terms)
    assert int(np.argmin(rest)) == 0
    assert rest[0] == pytest.approx(-4.0, abs=0.3)
    others = np.arange(20) != 0
    assert np.abs(rest - whole)[others].max() < 0.1
    # In least squares alone it moves its neighbours by decibels.
    plain = values - np.polyval(np.polyfit(log, values, 2), log)
    assert np.abs(plain - whole)[others].max() > 0.8


def test_weights_are_repetitions() -> None:
    rng = np.random.default_rng(1)
    values, weights = rng.normal(size=20), rng.integers(0, 3, (1, 20)).astype(np.float64)
    terms = price_terms(networks(), ["params"])
    taken = np.repeat(np.arange(20), weights[0].astype(int))
    expected = once(values[taken], terms[taken])
    np.testing.assert_allclose(residuals(values, terms, weights)[0][taken], expected, atol=1e-9)


def test_a_diverged_network_counts_for_nothing() -> None:
    values = np.random.default_rng(2).normal(size=20)
    terms = price_terms(networks(), ["params"])
    values[3] = np.nan
    rest = once(values, terms)
    assert np.flatnonzero(np.isnan(rest)).tolist() == [3]
    others = np.arange(20) != 3
    np.testing.assert_allclose(rest[others], once(values[others], terms[others]), atol=1e-9)


@pytest.mark.parametrize(
    ("count", "used"), [(3, 0), (4, 0), (5, 1), (7, 1), (8, 2), (10, 2), (11, 3), (99, 3)]
)
def test_few_networks_bear_few_terms(count: int, used: int) -> None:
    assert slopes(count, 3) == used


def test_too_few_tell_nothing() -> None:
    terms = price_terms(networks(4), ["params"])
    assert np.isnan(once([1.0, 2.0, 3.0, 4.0], terms)).all()
    # A bootstrap's sample of the same three networks again and again is no sample.
    many = price_terms(networks(9), ["params"])
    weights = np.array([[3.0, 3.0, 3.0, 0, 0, 0, 0, 0, 0], [1.0] * 9])
    rest = residuals(np.arange(9.0) ** 3, many, weights)
    assert np.isnan(rest[0]).all()
    assert np.isfinite(rest[1]).all()
