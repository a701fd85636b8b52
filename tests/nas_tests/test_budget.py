"""Budgets as users type them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.budget import Budget, parse_budget, parse_budgets
from search_spaces.errors import InputError


@pytest.mark.parametrize(
    ("text", "name", "limit"),
    [
        ("600K-params", "params", 600e3),
        ("600k-params", "params", 600e3),
        ("0.6M-params", "params", 600e3),
        (".5M-params", "params", 500e3),
        ("600000-params", "params", 600e3),
        ("30G-macs", "macs", 30e9),
        ("30G-flops", "macs", 30e9),
        ("30G-FLOPs", "macs", 30e9),
        ("30G-mult-adds", "macs", 30e9),
        ("30G-multi-adds", "macs", 30e9),
        ("1.5T-macs", "macs", 1.5e12),
        ("120M-activations", "activations", 120e6),
        ("25ms-latency", "latency", 25.0),
        ("900us-latency", "latency", 0.9),
        ("2s-latency", "latency", 2000.0),
        ("200MB-memory", "memory", 200.0),
        ("512kb-memory", "memory", 0.512),
        ("1.5GB-memory", "memory", 1500.0),
        ("  600K-params ", "params", 600e3),
    ],
)
def test_units_and_aliases(text: str, name: str, limit: float) -> None:
    budget = parse_budget(text)
    assert budget == Budget(name, budget.limit, text.strip())
    assert budget.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("600Q-params", "unit 'Q' does not fit params; expected one of none, K, M, G, T"),
        ("25-latency", "unit 'none' does not fit latency; expected one of us, ms, s"),
        ("25K-latency", "unit 'K' does not fit latency"),
        ("200M-memory", "unit 'M' does not fit memory; expected one of KB, MB, GB"),
        ("0-params", "expected more than zero"),
        ("0.0ms-latency", "expected more than zero"),
        ("600K-parms", "unknown figure 'parms'"),
        ("600K", "expected a number, a unit and a figure: 600K-params"),
        ("-5K-params", "expected a number"),
        ("1e3-params", "expected a number"),
        ("nan-params", "expected a number"),
        ("1,5M-params", "expected a number"),
        ("", "expected a number"),
        ("600K params", "expected a number"),
    ],
)
def test_malformed_ones_say_what_was_expected(text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_budget(text)
    assert told in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_of_one_figure_are_refused() -> None:
    with pytest.raises(InputError, match="two budgets for macs: 30G-flops and 20G-macs; give one"):
        parse_budgets(["30G-flops", "600K-params", "20G-macs"])


def test_several_keep_their_order() -> None:
    assert [b.name for b in parse_budgets(["30G-flops", "600K-params"])] == ["macs", "params"]


def test_attribute_is_the_records_field() -> None:
    assert parse_budget("25ms-latency").attribute == "latency_ms"
    assert parse_budget("200MB-memory").attribute == "memory_mb"


@given(
    st.integers(1, 10**6),
    st.sampled_from(["", "K", "M", "G", "T"]),
    st.sampled_from(["params", "macs", "activations"]),
)
def test_counts_round_trip(number: int, unit: str, figure: str) -> None:
    budget = parse_budget(f"{number}{unit}-{figure}")
    factor = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}[unit]
    assert (budget.name, budget.limit) == (figure, number * factor)
    assert parse_budget(budget.text) == budget


@given(st.decimals("0.001", 10**6, places=3), st.sampled_from([("ms", 1), ("s", 1000)]))
def test_times_round_trip(number: object, unit: tuple[str, int]) -> None:
    assert parse_budget(f"{number}{unit[0]}-latency").limit == pytest.approx(
        float(str(number)) * unit[1]
    )


@given(st.text(max_size=20))
def test_any_text_is_a_budget_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        assert parse_budget(text).limit > 0
