"""Fronts and hypervolumes against brute force."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.objectives import OBJECTIVES, Objective
from nas.pareto import best, figures, front, hypervolume, non_dominated
from nas.records import FAILED, FINISHED, REJECTED, TrialRecord
from search_spaces.errors import InputError

Points: TypeAlias = npt.NDArray[np.float64]
PSNR, PARAMS, LATENCY = OBJECTIVES["psnr"], OBJECTIVES["params"], OBJECTIVES["latency"]


def trial(
    number: int, psnr: float | None = 30.0, params: int | None = 1000, **more: Any
) -> TrialRecord:
    state = more.pop("state", FINISHED)
    return TrialRecord(number, state, psnr_y_db=psnr, params=params, **more)


# A few small integers, so that ties and duplicates are the rule and not the exception.
def clouds(columns: int, most: int = 12) -> st.SearchStrategy[Points]:
    row = st.tuples(*[st.integers(0, 4)] * columns)
    return st.lists(row, max_size=most).map(
        lambda rows: np.array(rows, dtype=np.float64).reshape(-1, columns)
    )


def dominates(a: Sequence[float] | Points, b: Sequence[float] | Points) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


@given(st.integers(1, 4).flatmap(clouds))
def test_non_dominated_is_what_brute_force_says(points: Points) -> None:
    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert non_dominated(points).tolist() == expected


@given(st.lists(st.tuples(st.sampled_from([None, 28.0, 29.0, math.nan]), st.integers(1, 3))))
def test_front_keeps_exactly_the_undominated_complete_trials(
    figures_: list[tuple[float | None, int]],
) -> None:
    records = [trial(i, psnr, params) for i, (psnr, params) in enumerate(figures_)]
    known = {
        i: (-psnr, params)
        for i, (psnr, params) in enumerate(figures_)
        if psnr is not None and not math.isnan(psnr)
    }
    expected = {i for i, row in known.items() if not any(dominates(o, row) for o in known.values())}
    chosen = front(records, (PSNR, PARAMS))
    assert {r.number for r in chosen} == expected
    keys = [(*known[r.number], r.number) for r in chosen]
    assert keys == sorted(keys)
    assert front(records[::-1], (PSNR, PARAMS)) == chosen


def test_front_takes_finished_trials_only_and_needs_an_objective() -> None:
    records = [
        trial(0, 40.0, state=FAILED),
        trial(1, 41.0, state=REJECTED),
        trial(2, 29.0),
        trial(3, 35.0, params=None),
    ]
    assert [r.number for r in front(records, (PSNR, PARAMS))] == [2]
    assert [r.number for r in front(records, [PSNR])] == [3]
    assert front([], [PSNR]) == ()
    with pytest.raises(InputError, match="at least one objective"):
        front(records, ())


def test_a_thousand_trials_in_four_objectives_are_fast_enough_to_redraw() -> None:
    cloud = np.random.default_rng(0).normal(size=(1000, 4))
    kept = cloud[non_dominated(cloud)]
    assert 20 < len(kept) < 500
    worse = [np.any(np.all(cloud <= row, axis=1) & np.any(cloud != row, axis=1)) for row in kept]
    assert not np.any(worse)


def by_inclusion_exclusion(points: Sequence[Points], reference: Sequence[float]) -> float:
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in itertools.combinations(points, size):
            sides = np.maximum(np.asarray(reference) - np.max(chosen, axis=0), 0)
            total -= (-1) ** size * float(np.prod(sides))
    return total


@given(st.integers(1, 4).flatmap(lambda k: clouds(k, most=6)), st.sampled_from([2.0, 4.5]))
def test_hypervolume_is_what_inclusion_exclusion_says(points: Points, bound: float) -> None:
    reference = [bound] * points.shape[1]
    expected = by_inclusion_exclusion(list(points), reference)
    assert hypervolume(points, reference) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("columns", [2, 3, 4])
def test_hypervolume_of_a_random_front_agrees_with_a_monte_carlo_count(columns: int) -> None:
    generator = np.random.default_rng(columns)
    points, draws = generator.random((30, columns)), generator.random((20_000, columns))
    hit = np.mean(np.any(np.all(points[None] <= draws[:, None], axis=2), axis=1))
    # Four standard errors of a share of 20,000 draws are at most 4 * 0.5 / sqrt(20000) = 0.0142.
    assert hypervolume(points, [1.0] * columns) == pytest.approx(hit, abs=0.0142)


def test_hypervolume_passes_over_what_adds_nothing() -> None:
    assert hypervolume([[1, 1]], (3, 3)) == 4
    more = np.array([[1, 1], [1, 1], [2, 2], [3, 0], [math.nan, 0], [9, 9]])
    assert hypervolume(more, (3, 3)) == 4
    assert hypervolume([], (3, 3)) == 0


@pytest.mark.parametrize(
    ("points", "reference", "message"),
    [
        ([[1, 2, 3]], (3, 3), r"shape \(n, 2\): got \(1, 3\)"),
        ([[1, 2]], (3, math.inf), "finite reference"),
        ([1, 2], (3, 3), r"got \(2,\)"),
    ],
)
def test_hypervolume_names_what_is_wrong(
    points: Any, reference: tuple[float, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        hypervolume(points, reference)


def test_figures_are_oriented_and_mark_the_unknown() -> None:
    matrix = figures([trial(0, 29.0, 10), trial(1, math.inf, None)], (PSNR, PARAMS))
    np.testing.assert_array_equal(matrix, [[-29.0, 10.0], [np.nan, np.nan]])
    assert figures([], (PSNR, PARAMS)).shape == (0, 2)


def number(record: TrialRecord | None) -> int | None:
    return None if record is None else record.number


def test_best_keeps_to_the_budgets() -> None:
    records = [
        trial(0, 29.0, 100, latency_ms=9.0),
        trial(1, 30.0, 200, latency_ms=20.0),
        trial(2, 31.0, 300),
        trial(3, 99.0, 1, state=FAILED),
        trial(4, None, 1),
    ]
    assert number(best(records)) == 2
    assert number(best(records, {"params": 200})) == 1
    assert number(best(records, {"params": 199.9})) == 0
    assert number(best(records, {"latency_ms": 100.0})) == 1  # trial 2 is not known to fit
    assert best(records, {"params": 10}) is None
    assert best([]) is None


def test_best_breaks_ties_by_size_then_by_age() -> None:
    records = [trial(2, 30.0, 100), trial(1, 30.0, 100), trial(0, 30.0, 101), trial(3, 30.0, None)]
    assert number(best(records)) == 1


def test_objectives_are_fields_of_the_record_and_read_well() -> None:
    assert {o.attribute for o in OBJECTIVES.values()} <= {f.name for f in fields(TrialRecord)}
    assert [o.name for o in OBJECTIVES.values() if o.maximize] == ["psnr", "ssim"]
    assert PARAMS.text(433_448) == "433.4 K"
    assert OBJECTIVES["macs"].text(24_804_000_000) == "24.80 G"
    assert OBJECTIVES["ssim"].text(0.81234) == "0.8123"
    assert LATENCY.value(trial(0)) is None
    assert Objective("x", False, "K", "X", "params").value(trial(0, params=7)) == 7.0
    with pytest.raises(TypeError):
        OBJECTIVES["psnr"] = PSNR  # type: ignore[index]
