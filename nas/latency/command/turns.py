"""The turns that networks take on one device, across its failures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

__all__ = ["Turns"]

_REFUSALS = 4
"""Failures at one network that others, asked right after, do not share: 1 of them after the first,
2 after the second and so on, so that a device that fails at every second call is not meant."""


@dataclass(slots=True)
class Turns:
    """Whose turn it is on one device, and what it has told so far.

    Attributes:
        names: of networks, the reference last.
        times_ms: told of each.
        began: when, by the monotonic clock.
    """

    names: tuple[str, ...]
    times_ms: dict[str, list[float]] = field(init=False)
    began: float = field(default_factory=time.monotonic)
    _refusals: dict[str, int] = field(init=False)
    _suspect: str | None = None
    _checks: int = 0

    def __post_init__(self) -> None:
        self.times_ms = {name: [] for name in self.names}
        self._refusals = dict.fromkeys(self.names, 0)

    @property
    def rounds(self) -> int:
        """Of which all have been told."""
        return min(map(len, self.times_ms.values()))

    def next(self) -> str:
        """Who is asked for: each once a round, in changing order; after a failure, another one."""
        if self._suspect is not None:
            return next(name for name in reversed(self.names) if name != self._suspect)
        order = self.names if self.rounds % 2 == 0 else self.names[::-1]
        return next(name for name in order if len(self.times_ms[name]) == self.rounds)

    def told(self, name: str, time_ms: float) -> None:
        """Notes an answer."""
        self.times_ms[name].append(time_ms)
        if self._suspect is None:
            self._refusals[name] = 0
            return
        self._checks -= 1
        if not self._checks:
            self._refusals[self._suspect] += 1
            self._suspect = None

    def failed(self, name: str) -> bool:
        """Notes a failure; returns whether it is the network's, and not the device's."""
        if self._suspect is not None:
            # The device is away, whoever is asked for.
            self._refusals[self._suspect], self._suspect = 0, None
            return False
        if self._refusals[name] >= _REFUSALS:
            return True
        if len(self.names) > 1:
            self._suspect, self._checks = name, self._refusals[name] + 1
        return False
