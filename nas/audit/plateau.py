"""Where the plateau ends: from which step on a ranking at equal price tells of the long one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from nas.audit.compare import Signal

__all__ = ["Plateau", "plateau"]

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Plateau:
    """Where the plateau ends, as far as the rungs show it.

    Attributes:
        tells_from: the first rung from which on every rung's interval of tau at equal price
            lies above 0; ``None``: no rung does.
        half_from: the first of these from which on tau is also half of the ceiling.
    """

    tells_from: int | None
    half_from: int | None


def plateau(rungs: Sequence[Signal], ceiling: Signal) -> Plateau:
    """Where the plateau ends, of rungs in order of their steps."""
    half = _HALF * ceiling.tau_at_price.value

    def tells(signal: Signal) -> bool:
        return signal.tau_at_price.low > 0

    return Plateau(
        _from(rungs, tells),
        _from(rungs, lambda signal: tells(signal) and signal.tau_at_price.value >= half),
    )


def _from(rungs: Sequence[Signal], good: Callable[[Signal], bool]) -> int | None:
    """A rung by luck above others later does not end the plateau."""
    steps = [signal.step for signal in takewhile(good, reversed(rungs))]
    return steps[-1] if steps else None
