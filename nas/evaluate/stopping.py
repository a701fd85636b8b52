"""Ctrl-C and SIGTERM that wait for the end of a step."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopWish", "stop_wish"]

# A terminal and a parent process may both pass one Ctrl-C on.
_ONE_WISH_S = 1.0


class StopWish:
    """Whether somebody asked this process to stop, and whether they insist on it at once."""

    def __init__(self) -> None:
        self.asked = self.insists = False
        self._first = 0.0

    def note(self, number: int, frame: FrameType | None) -> None:
        """As a signal handler: the second wish is not waited with.

        Raises:
            KeyboardInterrupt: at a second call; one that comes at once is part of the first.
        """
        now = time.monotonic()
        if not self.asked:
            self.asked, self._first = True, now
        elif now - self._first > _ONE_WISH_S:
            self.insists = True
            raise KeyboardInterrupt


@contextmanager
def stop_wish() -> Iterator[StopWish]:
    """Takes Ctrl-C and SIGTERM over meanwhile; in a thread, where none arrive, nothing."""
    wish = StopWish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {
        number: signal.signal(number, wish.note)
        for number in (signal.SIGINT, signal.SIGTERM)
        # nohup and shells in the background have children ignore some: that stays.
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
