"""The turns that networks take on one device, across its failures."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

__all__ = ["Turns"]


@dataclass(slots=True)
class Turns:
    """Whose turn it is on one device, and what it has told so far.

    Attributes:
        names: of networks, the reference last.
        times_ms: told of each.
        refusals: how often in a row the device failed at one, and answered of another right after.
        failed: at whose turn the device has failed just now.
        began: when, by the monotonic clock.
    """

    names: tuple[str, ...]
    times_ms: dict[str, list[float]] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    failed: str | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.times_ms = {name: [] for name in self.names}
        self.refusals = dict.fromkeys(self.names, 0)

    @property
    def rounds(self) -> int:
        """Of which all have been told."""
        return min(map(len, self.times_ms.values()))

    def next(self) -> str:
        """Who is asked for: each once a round, in changing order; after a failure, another one."""
        if self.failed is not None and len(self.names) > 1:
            return next(name for name in reversed(self.names) if name != self.failed)
        order = self.names if self.rounds % 2 == 0 else self.names[::-1]
        return next(name for name in order if len(self.times_ms[name]) == self.rounds)

    def told(self, name: str, time_ms: float) -> None:
        """Notes an answer."""
        self.times_ms[name].append(time_ms)
        self.refusals[name] = 0
        if self.failed not in (None, name):
            # The device answers, but for that network.
            self.refusals[str(self.failed)] += 1
        self.failed = None
