"""Several things timed in turns, so that a change of the machine's speed meets all alike.

Two clocks run beside each other. What others do on the machine lengthens the time that passes many
times over, since every network is interrupted in every round; the time for which the calling thread
has a processor stays within a few percent. It is what a CPU left alone would take, and what is
judged by; a GPU's work shows on the wall clock alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nas.quiet import measuring
from search_spaces.errors import InputError

__all__ = [
    "Laps",
    "Timing",
    "agree",
    "best_ms",
    "low_ms",
    "summary",
    "time_in_turns",
    "time_until_settled",
]

# Two-sided 95% of a normal distribution.
_Z = 1.96

_BEST = 3
# As a share; of the smallest networks that is less than the clock can tell.
_AGREE, _AGREE_MS = 0.01, 0.05
# Rounds are repeated so many times at most, and not beyond so many seconds.
_AGAIN, _LIMIT_S = 3, 5.0


@dataclass(frozen=True, slots=True)
class Laps:
    """Times of one thing, one a round, milliseconds.

    Attributes:
        passed_ms: by the clock on the wall.
        worked_ms: for which the calling thread had a processor. With several threads one of them
            may wait for another that has none, so that this is above what is possible; never by
            more than what passed.
    """

    passed_ms: tuple[float, ...]
    worked_ms: tuple[float, ...]

    def own_ms(self, device: str) -> tuple[float, ...]:
        """Those that say what a device of this type can do."""
        return self.worked_ms if device == "cpu" else self.passed_ms


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
) -> dict[str, Laps]:
    """Each entrant once a round, alone on the machine (see `quiet`).

    Args:
        entrants: each returns only when its work is done.
        rounds: timed.
        warmup: not timed.

    Raises:
        InputError: fewer than 1 round or 0 for warming up.
    """
    if rounds < 1 or warmup < 0:
        raise InputError(f"expected 1 round or more and 0 to warm up, got {rounds} and {warmup}")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in entrants}
    names = list(entrants)
    with measuring():
        for _ in range(warmup):
            for run in entrants.values():
                run()
        for number in range(rounds):
            # Each has another one before it from round to round: what that left in the
            # caches is nobody's lasting advantage.
            for name in names if number % 2 == 0 else reversed(names):
                began, began_work = time.perf_counter(), time.thread_time()
                entrants[name]()
                worked = time.thread_time() - began_work
                times[name].append(((time.perf_counter() - began) * 1e3, worked * 1e3))
    return {name: Laps(*zip(*of, strict=True)) for name, of in times.items()}


def time_until_settled(
    entrants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warmup: int,
    device: str,
    settled: Callable[[Mapping[str, Laps]], bool] | None = None,
) -> dict[str, Laps]:
    """As `time_in_turns`, and again, up to four times the rounds, until the figures can be trusted.

    That is where the best rounds of every entrant agree within 1%: on a busy machine they are
    those that nobody disturbed. No more rounds begin after 5 s.

    Args:
        entrants: as there.
        rounds: timed at a time.
        warmup: as there, before the first.
        device: type of the one that works, such as ``"cpu"``.
        settled: says whether they can be trusted, where something else decides.

    Raises:
        InputError: as there.
    """
    began = time.monotonic()
    with measuring():
        laps = time_in_turns(entrants, rounds=rounds, warmup=warmup)
        for _ in range(_AGAIN):
            if settled is None:
                enough = all(agree(of.own_ms(device)) for of in laps.values())
            else:
                enough = settled(laps)
            if enough or time.monotonic() - began > _LIMIT_S:
                break
            more = time_in_turns(entrants, rounds=rounds, warmup=0)
            laps = {
                name: Laps(of.passed_ms + more[name].passed_ms, of.worked_ms + more[name].worked_ms)
                for name, of in laps.items()
            }
    return laps


def best_ms(times_ms: Sequence[float]) -> float:
    """The mean of the three lowest."""
    return statistics.fmean(sorted(times_ms)[:_BEST])


def low_ms(times_ms: Sequence[float]) -> float:
    """The lower quartile: of disturbed rounds, steadier than the best."""
    return sorted(times_ms)[(len(times_ms) - 1) // 4]


def agree(times_ms: Sequence[float]) -> bool:
    """Whether these three are alike within 1%, or within what the clock can tell."""
    best = sorted(times_ms)[:_BEST]
    return best[-1] - best[0] <= max(_AGREE * best[0], _AGREE_MS)


def summary(times_ms: Sequence[float]) -> Timing:
    """Median, minimum, and the median's interval by order statistics (any distribution).

    With few rounds the interval is the whole range, which covers 95% from six rounds on.
    """
    ordered = sorted(times_ms)
    n = len(ordered)
    reach = _Z * n**0.5 / 2
    low, high = max(0, int(n / 2 - reach)), min(n - 1, int(n / 2 + reach))
    return Timing(statistics.median(ordered), ordered[0], ordered[low], ordered[high], n)
