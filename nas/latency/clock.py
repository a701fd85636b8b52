"""Several things timed in turns, so that a change of the machine's speed meets all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nas.quiet import measuring
from search_spaces.errors import InputError

__all__ = ["Timing", "summary", "time_in_turns"]

# Two-sided 95% of a normal distribution.
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one thing, milliseconds.

    Attributes:
        median_ms: of the rounds.
        minimum_ms: stays put where other processes lift the median.
        low_ms: lower end of a 95% confidence interval of the median.
        high_ms: its upper end.
        rounds: how many.
    """

    median_ms: float
    minimum_ms: float
    low_ms: float
    high_ms: float
    rounds: int


def time_in_turns(
    entrants: Mapping[str, Callable[[], object]], *, rounds: int, warmup: int
) -> dict[str, list[float]]:
    """Milliseconds of each entrant in each round, alone on the machine (see `quiet`).

    Args:
        entrants: each is run once a round, and returns only when its work is done.
        rounds: timed.
        warmup: not timed.

    Raises:
        InputError: fewer than 1 round or 0 for warming up.
    """
    if rounds < 1 or warmup < 0:
        raise InputError(f"expected 1 round or more and 0 to warm up, got {rounds} and {warmup}")
    times: dict[str, list[float]] = {name: [] for name in entrants}
    names = list(entrants)
    with measuring():
        for _ in range(warmup):
            for run in entrants.values():
                run()
        for number in range(rounds):
            # Each has another one before it from round to round: what that left in the
            # caches is nobody's lasting advantage.
            for name in names if number % 2 == 0 else reversed(names):
                began = time.perf_counter()
                entrants[name]()
                times[name].append((time.perf_counter() - began) * 1e3)
    return times


def summary(times_ms: Sequence[float]) -> Timing:
    """Median, minimum, and the median's interval by order statistics (any distribution).

    With few rounds the interval is the whole range, which covers 95% from six rounds on.
    """
    ordered = sorted(times_ms)
    n = len(ordered)
    reach = _Z * n**0.5 / 2
    low, high = max(0, int(n / 2 - reach)), min(n - 1, int(n / 2 + reach))
    return Timing(statistics.median(ordered), ordered[0], ordered[low], ordered[high], n)
