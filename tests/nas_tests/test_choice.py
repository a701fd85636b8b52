"""Which network is the best where seeds may part the first from the next."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.choice import Choice
from nas.objectives import OBJECTIVES
from nas.records import FAILED, FINISHED, TrialRecord
from search_spaces.errors import InputError


def trial(number: int, psnr: float | None, params: int | None, **more: float) -> TrialRecord:
    return TrialRecord(number, FINISHED, psnr_y_db=psnr, params=params, **more)  # type: ignore[arg-type]


def number(record: TrialRecord | None) -> int | None:
    return None if record is None else record.number


NEAR = (
    trial(0, 30.00, 400),
    trial(1, 29.97, 100),
    trial(2, 29.96, 90),
    trial(3, 29.90, 10),
    TrialRecord(4, FAILED, psnr_y_db=31.0, params=1),
)


def test_the_highest_unless_the_cheapest_that_is_alike_is_preferred() -> None:
    # Two networks of 0.03 dB of noise each differ by 0.042 dB by seeds.
    assert number(Choice(noise_db=0.03).best(NEAR)) == 0
    assert number(Choice(noise_db=0.03, prefer="cheaper").best(NEAR)) == 2
    assert number(Choice(noise_db=0.02, prefer="cheaper").best(NEAR)) == 0
    assert number(Choice(noise_db=0.025, prefer="cheaper").best(NEAR)) == 1
    assert number(Choice(noise_db=0.0, prefer="cheaper").best(NEAR)) == 0
    assert number(Choice(noise_db=0.03, prefer="cheaper").highest(NEAR)) == 0


def test_those_alike_come_cheapest_first() -> None:
    assert [r.number for r in Choice(noise_db=0.03).alike(NEAR)] == [2, 1, 0]
    assert Choice(noise_db=0.03).alike(()) == ()
    tied = (trial(0, 30.0, 5), trial(1, 30.01, 5), trial(2, 30.01, None), trial(3, 30.01, 5))
    assert [r.number for r in Choice(noise_db=1.0).alike(tied)] == [1, 3, 0, 2]


def test_those_alike_by_another_price_and_within_more_than_the_margin() -> None:
    fast = (trial(0, 30.0, 1, latency_ms=9.0), trial(1, 29.9, 2, latency_ms=3.0))
    latency = OBJECTIVES["latency"]
    choice = Choice(noise_db=0.06)
    assert [r.number for r in choice.alike(fast, latency)] == [0]
    assert [r.number for r in choice.alike(fast, latency, margins=2.0)] == [1, 0]
    assert [r.number for r in choice.alike(fast, margins=2.0)] == [0, 1]


def test_budgets_are_kept_to() -> None:
    choice = Choice({"params": 100}, noise_db=0.01, prefer="cheaper")
    assert number(choice.best(NEAR)) == 2
    assert choice.best(NEAR[:1]) is None


@pytest.mark.parametrize(
    ("objectives", "budgets", "prices"),
    [
        (("psnr", "params", "macs"), {"latency_ms": 9.0, "params": 9.0},
         ("latency", "params", "macs")),
        (("psnr", "macs", "params"), {}, ("macs", "params")),
        (("ssim", "psnr"), {}, ("params",)),
    ],
)  # fmt: skip
def test_cheap_is_what_the_search_limits_or_weighs_first(
    objectives: tuple[str, ...], budgets: dict[str, float], prices: tuple[str, ...]
) -> None:
    choice = Choice.of(objectives, budgets)
    assert (choice.prices, choice.by.name) == (prices, prices[0])


def test_another_preference_is_refused() -> None:
    with pytest.raises(InputError, match="prefer: expected better or cheaper, got 'best'"):
        Choice(prefer="best")


figures = st.tuples(st.integers(0, 6), st.integers(1, 5))


@given(st.lists(figures, max_size=12), st.lists(figures, max_size=8), st.floats(0, 4))
def test_whatever_becomes_the_best_was_always_kept(
    early: list[tuple[int, int]], late: list[tuple[int, int]], noise_db: float
) -> None:
    records = [trial(i, 25.0 + q, p) for i, (q, p) in enumerate([*early, *late])]
    kept = {r.number for r in Choice().kept(records[: len(early)])}
    for prefer in ("better", "cheaper"):
        best = Choice(prefer=prefer, noise_db=noise_db).best(records)
        assert best is None or best.number >= len(early) or best.number in kept
        assert best is None or not math.isnan(best.psnr_y_db or 0.0)
