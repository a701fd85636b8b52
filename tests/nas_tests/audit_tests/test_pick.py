"""Which networks of a run are trained again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nas.audit.pick import candidates, pick
from nas.records import FAILED, FINISHED, REJECTED, STOPPED, Rung, TrialRecord


def record(number: int, params: int, psnr_y_db: float, state: str = FINISHED) -> TrialRecord:
    name = f"{number:04}"
    return TrialRecord(number, state, architecture_hash=name, params=params, psnr_y_db=psnr_y_db)


many = st.lists(st.tuples(st.integers(1, 100), st.floats(20, 30)), min_size=3, max_size=30).map(
    lambda pairs: candidates(record(i, *pair) for i, pair in enumerate(pairs))
)


def test_candidates_have_a_price_and_a_worth() -> None:
    stopped = TrialRecord(
        9, STOPPED, architecture_hash="9", params=5, rungs=(Rung(10, 27.0, 0.7, 1.0),)
    )
    found = candidates(
        [
            record(0, 30, 28.0),
            record(1, 10, 27.0),
            record(2, 20, 26.0, FAILED),
            record(3, 20, 26.0, REJECTED),
            TrialRecord(4, FINISHED, architecture_hash="0001", params=10, psnr_y_db=27.0),
            TrialRecord(5, STOPPED, architecture_hash="5", params=5),
            stopped,
        ]
    )
    assert [r.number for r in found] == [9, 1, 0]


@settings(deadline=None)
@given(many, st.integers(1, 40), st.integers(1, 6))
def test_picks_as_many_as_there_are(records: list[TrialRecord], count: int, parts: int) -> None:
    picked = pick(records, count, parts)
    assert len(picked) == min(count, len(records))
    assert len({r.architecture_hash for r in picked}) == len(picked)


@settings(deadline=None)
@given(many, st.integers(1, 10), st.integers(1, 10), st.integers(1, 4))
def test_more_networks_add_to_fewer(
    records: list[TrialRecord], few: int, more: int, parts: int
) -> None:
    first = {r.architecture_hash for r in pick(records, few, parts)}
    later = {r.architecture_hash for r in pick(records, few + more, parts, keep=first)}
    assert first <= later
    again = {r.architecture_hash for r in pick(records, few, parts, keep=later)}
    assert again <= later
    assert len(again) == len(first)


def test_is_spread_over_prices_and_ranks() -> None:
    # Twelve networks; within each half by price, PSNR rises with the price.
    records = candidates(record(i, i + 1, 25.0 + i % 6) for i in range(12))
    picked = pick(records, 6, 2)
    assert sorted(r.number for r in picked) == [0, 2, 5, 6, 8, 11] or sorted(
        r.number for r in picked
    ) == [0, 3, 5, 6, 9, 11]
    # Any beginning is a spread: the best of each half, then the worst of each.
    assert {r.number for r in picked[:2]} == {5, 11}
    assert {r.number for r in picked[2:4]} == {0, 6}
