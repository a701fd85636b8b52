"""Waiting for one's turn: never beyond a limit, never against a wish to stop."""

from __future__ import annotations

import random
import time

from nas.stopping import current_wish
from nas.store.leases.lease import NoTurn

__all__ = ["Waiting"]

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 0.02


class Waiting:
    """Pauses between tries to get a turn.

    Args:
        limit_s: for all of them together; ``None``: no limit, as long as nobody wishes to stop.
    """

    def __init__(self, limit_s: float | None = None) -> None:
        self._wish, self._limit_s = current_wish(), limit_s
        self._began, self._pause_s = time.monotonic(), _FIRST_PAUSE_S

    def look(self) -> None:
        """To be called at every try.

        Raises:
            KeyboardInterrupt: somebody asked to stop.
            NoTurn: after the limit.
        """
        self._wish.heed()
        waited_s = time.monotonic() - self._began
        if self._limit_s is not None and waited_s > self._limit_s:
            raise NoTurn(f"no turn within {self._limit_s:.0f} s")

    def pause(self) -> None:
        """Looks, and lets a moment pass, a longer one each time.

        Raises:
            KeyboardInterrupt, NoTurn: as `look`.
        """
        self.look()
        # Two that wait are not to meet at every try.
        time.sleep(self._pause_s * random.uniform(0.5, 1.0))
        self._pause_s = min(1.5 * self._pause_s, _LONGEST_PAUSE_S)
