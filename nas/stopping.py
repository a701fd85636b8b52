"""Ctrl-C, SIGTERM and SIGHUP as a wish, which is heeded where stopping does no harm.

Python raises a KeyboardInterrupt between any two instructions: within a transaction, whose lock is
then kept while its owner waits for somebody who waits for that lock; or in a callback of the
garbage collector, which swallows it. So work that must not be cut anywhere holds a `stop_wish`, and
looks at it at safe points.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

__all__ = ["ONE_WISH_S", "SIGNALS", "StopWish", "current_wish", "kept_handlers", "stop_wish"]

# Windows knows of no terminal that hangs up.
SIGNALS = (
    signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []),
)  # fmt: skip
"""What asks a process to stop: a person, a program, and a terminal that is gone."""

ONE_WISH_S = 1.0
"""A terminal and a parent process may both pass one Ctrl-C on: so close together, they are one."""

_NAP_S = 0.1


class StopWish:
    """Whether somebody asked this process to stop, and whether they insist on it at once.

    Args:
        once: whether a second wish is nothing new.

    Attributes:
        asked: somebody did.
        insists: somebody did again: nothing is to be waited for any more.
        leaving: the wish is being heeded; what is done now comes to its end.
    """

    def __init__(self, *, once: bool = False) -> None:
        self.asked = self.insists = self.leaving = False
        self._once, self._at_once = once, False
        self._first = 0.0

    def note(self, number: int, frame: FrameType | None) -> None:
        """As a signal handler: the second wish is not waited with.

        Raises:
            KeyboardInterrupt: at a second call; one that comes at once is part of the first.
                At the first one within `at_once`.
        """
        now = time.monotonic()
        if not self.asked:
            self.asked, self._first = True, now
            if self._at_once:
                raise KeyboardInterrupt
        elif now - self._first > ONE_WISH_S and not self._once:
            self.insists = True
            raise KeyboardInterrupt

    def heed(self) -> None:
        """To be called where stopping does no harm.

        Raises:
            KeyboardInterrupt: somebody asked to stop, and that is not being heeded already.
        """
        if self.asked and not self.leaving:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleeps; a wish is heeded meanwhile.

        Raises:
            KeyboardInterrupt: as `heed`.
        """
        end = time.monotonic() + seconds
        self.heed()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP_S))
            self.heed()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """For what takes long and may be cut anywhere: a wish is heeded on the spot."""
        with self._heeding(at_once=True):
            self.heed()
            yield
        # One that a callback has swallowed.
        self.heed()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """For what is still to be done once work has stopped."""
        self.leaving = True
        with self._heeding(at_once=False):
            yield

    @contextmanager
    def _heeding(self, *, at_once: bool) -> Iterator[None]:
        before, self._at_once = self._at_once, at_once
        try:
            yield
        finally:
            self._at_once = before


def current_wish() -> StopWish:
    """The wish that this thread holds; where it holds none, one that nobody can utter."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            holder = getattr(signal.getsignal(number), "__self__", None)
            if isinstance(holder, StopWish):
                return holder
    return StopWish()


@contextmanager
def stop_wish(*, once: bool = False) -> Iterator[StopWish]:
    """Takes `SIGNALS` over meanwhile; in a thread, where none arrive, nothing.

    Within another such block its wish goes on. Of the outermost one, ``once`` says whether a
    second wish is nothing new.

    Raises:
        KeyboardInterrupt: at the end, where a wish came too late to be heeded within.
    """
    wish = current_wish()
    if wish.note in map(signal.getsignal, SIGNALS):
        with wish.at_once() if wish._at_once else nullcontext(), wish._heeding(at_once=False):
            yield wish
        return
    wish = StopWish(once=once)
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    with kept_handlers():
        for number in SIGNALS:
            # nohup and shells in the background have children ignore some: that stays.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, wish.note)
        yield wish
    wish.heed()


@contextmanager
def kept_handlers() -> Iterator[None]:
    """Whatever takes `SIGNALS` over in such a block gives them back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None is a handler that another language has set; it cannot be set from here.
            if handler is not None:
                signal.signal(number, handler)
