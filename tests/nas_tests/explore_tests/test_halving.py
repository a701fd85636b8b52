"""Who goes on: shares, fronts, near-ties, and that waiting never blocks."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nas.explore.halving import Climber, best_share, next_promotion, rung_steps
from nas.pareto import non_dominated

Points = npt.NDArray[np.float64]

# Few values, so that equal figures and whole fronts of them come up.
POINTS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 40), st.integers(1, 3)),
    elements=st.integers(0, 12).map(float),
)
ETAS = st.sampled_from([1.5, 2.0, 3.0, 4.0])


@given(POINTS, ETAS, st.booleans())
def test_eta_bounds_who_goes_on(points: Points, eta: float, closing: bool) -> None:
    noise = [2.0] + [0.0] * (points.shape[1] - 1)
    chosen = best_share(points, eta, noise, closing=closing)
    assert len(chosen) == len(set(chosen))
    least = len(points) / eta
    if closing:
        assert math.ceil(least - 1e-9) <= len(chosen) <= math.ceil(1.5 * least - 1e-9)
    else:
        assert math.floor(least + 1e-9) <= len(chosen) <= math.floor(1.5 * least + 1e-9)


@given(POINTS, ETAS)
def test_without_noise_whoever_stays_is_no_better_than_whoever_goes(
    points: Points, eta: float
) -> None:
    chosen = best_share(points, eta, [0.0] * points.shape[1])
    for out in set(range(len(points))) - set(chosen):
        for k in chosen:
            better = (points[out] <= points[k]).all() and (points[out] < points[k]).any()
            assert not better


def test_noise_may_be_each_networks_own() -> None:
    # PSNR, negated, and latency, ms; of five one goes on, and one more that chance may keep out.
    points = [[-30.0, 10.0], [-29.99, 10.1], [-29.0, 12.0], [-28.0, 99.0], [-27.0, math.nan]]
    large, small = ([[0.0, share * latency] for _, latency in points] for share in (0.02, 0.005))
    assert best_share(points, 3.0, [0.0, 0.0]) == best_share(points, 3.0, small) == [0]
    assert best_share(points, 3.0, [0.0, 0.3]) == best_share(points, 3.0, large) == [0, 1]
    # The first has gone on already, and a network that has not come to the rung shifts the rows.
    climbers = [Climber((), 0, False), *(Climber((p[0], p[1]), 1, True) for p in points)]
    climbers[1] = Climber(climbers[1].point, 2, False)
    nothing = [math.nan, math.nan]
    assert next_promotion(climbers, 2, 3.0, [nothing, *small]) is None
    assert next_promotion(climbers, 2, 3.0, [nothing, *large]) == 2


def fronts(points: Points) -> list[set[int]]:
    """The rows of each front, the best one first."""
    rest, found = np.arange(len(points)), list[set[int]]()
    while rest.size:
        best = non_dominated(points[rest])
        found.append(set(rest[best].tolist()))
        rest = rest[~best]
    return found


@given(POINTS, ETAS, st.sampled_from([0.5, 1.5, 3.0]))
def test_near_ties_lack_less_than_the_noise(points: Points, eta: float, noise_db: float) -> None:
    noise = [noise_db] + [0.0] * (points.shape[1] - 1)
    exact = set(best_share(points, eta, [0.0] * points.shape[1]))
    near = set(best_share(points, eta, noise)) - exact
    whole = [front for front in fronts(points) if front <= exact]
    assert whole or not near
    for k in near:
        for other in whole[-1]:
            improved = points[k] - np.array(noise)
            ahead = (points[other] <= improved).all() and (points[other] < improved).any()
            assert not ahead


@given(POINTS, ETAS, st.integers(0, 2**16))
def test_the_order_of_arrival_does_not_matter(points: Points, eta: float, seed: int) -> None:
    mixed = points[np.random.default_rng(seed).permutation(len(points))]
    chosen = [
        sorted(map(tuple, rows[best_share(rows, eta, [0.0] * points.shape[1])]))
        for rows in (points, mixed)
    ]
    assert chosen[0] == chosen[1]


@given(POINTS, ETAS)
def test_who_is_gone_keeps_the_place_of_a_like(points: Points, eta: float) -> None:
    noise = [0.0] * points.shape[1]
    gone = best_share(points, eta, noise)
    # Everybody who belongs to the best is gone: nobody else follows.
    assert set(best_share(points, eta, noise, gone=gone)) <= set(gone)


@given(st.lists(st.floats(20, 40), min_size=1, max_size=50), ETAS)
def test_one_objective_is_plain_successive_halving(psnr: list[float], eta: float) -> None:
    points = -np.array(psnr)[:, None]
    count = math.floor(len(psnr) / eta + 1e-9)
    chosen = best_share(points, eta, [0.0])
    assert sorted(points[chosen, 0]) == sorted(points[:, 0])[:count]


def test_a_cheap_network_with_a_slightly_lower_psnr_goes_on() -> None:
    # PSNR-Y and parameters: the dear middling one is behind on both.
    points = [(-30.0, 600e3), (-29.9, 200e3), (-29.8, 500e3), (-29.7, 550e3), (-29.6, 590e3),
              (-29.5, 595e3)]  # fmt: skip
    assert best_share(points, 3.0, [0.0, 0.0]) == [0, 1]


def test_of_a_front_too_large_the_farthest_are_taken() -> None:
    points = [(float(-k), float(k)) for k in range(9)]
    assert sorted(best_share(points, 3.0, [0.0, 0.0])) == [0, 4, 8]


def test_a_near_tie_goes_with_the_front_it_nearly_is_on() -> None:
    points = [(-30.0, 1.0), (-29.97, 1.0), (-29.9, 1.0), (-29.0, 1.0)]
    assert best_share(points, 3.0, [0.0, 0.0]) == [0]
    assert best_share(points, 3.0, [0.04, 0.0]) == [0, 1]
    assert best_share(points, 3.0, [0.02, 0.0]) == [0]


def test_unknown_figures_are_never_promoted() -> None:
    points = [(math.nan, 1.0), (-3.0, 2.0), (-2.0, 3.0)]
    assert best_share(points, 1.0, [0.0, 0.0]) == [1, 2]


class TestNextPromotion:
    def test_the_highest_rung_comes_first(self) -> None:
        low = [Climber((-1.0 * k,), 1, True) for k in range(3)]
        high = [Climber((-1.0 * k,), 2, True) for k in range(3)]
        assert next_promotion([*low, *high], 3, 3.0, [0.0]) == 5

    def test_nobody_goes_on_from_the_last_rung(self) -> None:
        climbers = [Climber((-1.0 * k,), 2, True) for k in range(9)]
        assert next_promotion(climbers, 2, 3.0, [0.0]) is None
        assert next_promotion([Climber((-1.0,), 1, True)], 1, 3.0, [0.0], closing=True) is None

    def test_a_rung_need_not_fill(self) -> None:
        climbers = [Climber((-1.0 * k,), 1, True) for k in range(3)]
        assert next_promotion(climbers[:2], 3, 3.0, [0.0]) is None
        assert next_promotion(climbers, 3, 3.0, [0.0]) == 2

    def test_only_those_that_wait(self) -> None:
        climbers = [Climber((-1.0 * k,), 1, k != 2) for k in range(3)]
        assert next_promotion(climbers, 3, 3.0, [0.0]) is None

    @pytest.mark.parametrize("noise", [0.0, 0.04])
    @settings(deadline=None)
    @given(st.integers(0, 2**16), st.integers(1, 25), st.sampled_from([2.0, 3.0]))
    def test_a_search_ends_with_somebody_at_the_top(
        self, noise: float, seed: int, count: int, eta: float
    ) -> None:
        rng = np.random.default_rng(seed)
        prices, worths = rng.uniform(1, 6, count), rng.normal(30, 0.2, (count, 3))
        levels: list[int] = []
        while True:
            climbers = [
                Climber((-worths[k, level - 1], prices[k]), level, level < 3)
                for k, level in enumerate(levels)
            ]
            closing = len(levels) == count
            index = next_promotion(climbers, 3, eta, [noise, 0.0], closing=closing)
            if index is not None:
                assert climbers[index].waits
                levels[index] += 1
            elif closing:
                break
            else:
                levels.append(1)
        assert max(levels) == 3
        for rung in (1, 2):
            there, further = (sum(level >= r for level in levels) for r in (rung, rung + 1))
            assert math.ceil(there / eta - 1e-9) <= further <= math.ceil(1.5 * there / eta)


@pytest.mark.parametrize(
    ("steps", "rungs", "eta", "expected"),
    [
        (360, 3, 3.0, (40, 120, 360)),
        (360, 1, 3.0, (360,)),
        (360, 4, 2.0, (45, 90, 180, 360)),
        (12, 3, 3.0, (1, 4, 12)),
        (2, 5, 3.0, (1, 2)),
        (1800, 3, 4.0, (112, 450, 1800)),
    ],
)
def test_rungs_are_geometric_up_to_all_steps(
    steps: int, rungs: int, eta: float, expected: tuple[int, ...]
) -> None:
    assert rung_steps(steps, rungs, eta) == expected
