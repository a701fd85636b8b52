"""What a reference network, timed in the same rounds, says of a device's speed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from nas.latency.clock import agree, best_ms, low_ms

__all__ = ["Undrifted", "are_settled", "drift_of", "undrifted"]

_DRIFT, _MOST_DRIFT = 1.05, 1.5
"""A reference that takes more than this many times what it can was disturbed, and the machine busy;
beyond the latter it says little of how much others were."""


@dataclass(frozen=True, slots=True)
class Undrifted:
    """A network's time without what slowed the reference down as well, milliseconds.

    Attributes:
        latency_ms: lower quartile of the rounds, without the ``drift``.
        latency_min_ms: the best round, or ``latency_ms`` where none was as little disturbed.
        drift: how many times longer than it can the reference took, by its lower quartile,
            1 to 1.5.
    """

    latency_ms: float
    latency_min_ms: float
    drift: float


def drift_of(reference_ms: Sequence[float], quiet_ms: float | None) -> float:
    """How many times longer than it can the reference took; ``quiet_ms`` it has taken before."""
    quiet = min(quiet_ms or inf, best_ms(reference_ms))
    return min(max(low_ms(reference_ms) / quiet, 1.0), _MOST_DRIFT)


def are_settled(
    own_ms: Sequence[Sequence[float]], reference_ms: Sequence[float], quiet_ms: float | None
) -> bool:
    """Whether rounds need no repetition: the best of each agree, and nothing drifts."""
    agreed = all(map(agree, (*own_ms, reference_ms)))
    return agreed and drift_of(reference_ms, quiet_ms) <= _DRIFT


def undrifted(times_ms: Sequence[float], drift: float) -> Undrifted:
    """A network's time on a device that is left alone."""
    latency_ms = low_ms(times_ms) / drift
    return Undrifted(latency_ms, min(*times_ms, latency_ms), drift)
