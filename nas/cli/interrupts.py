"""What ends a command from outside, and that the second Ctrl-C does, whatever it waits for."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from nas.stopping import ONE_WISH_S, SIGNALS, kept_handlers

__all__ = ["INTERRUPTED", "SAID", "ended_as_by_ctrl_c", "ended_by_the_second"]

INTERRUPTED = 130
"""The exit code of a command that was told to stop."""

SAID = "nas: interrupted; the same command goes on where it stopped"

_ORDERLY_S = 3.0
_SHOW_CURSOR = b"\x1b[?25h"


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """In such a block SIGTERM and SIGHUP raise a KeyboardInterrupt, too, instead of ending it."""
    with kept_handlers():
        for number in SIGNALS if threading.current_thread() is threading.main_thread() else ():
            # What nohup has it ignore stays ignored.
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
        yield


@contextmanager
def ended_by_the_second() -> Iterator[None]:
    """In such a block, a second Ctrl-C, SIGTERM or SIGHUP leaves three seconds for an orderly end.

    Python's own handlers wait for the end of whatever library call is under way, and a database may
    keep one for a minute. So a thread reads the signals where Python notes them at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(read,), name="nas-second-word", daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(write)


def _watch(read: int) -> None:
    first: float | None = None
    while words := os.read(read, 1):
        now = time.monotonic()
        if words[0] not in SIGNALS:
            continue
        if first is None:
            first = now
        elif now - first > ONE_WISH_S:
            time.sleep(_ORDERLY_S)
            end = _SHOW_CURSOR if sys.stderr.isatty() else b""
            os.write(2, end + f"{SAID}\n".encode())
            os._exit(INTERRUPTED)
    os.close(read)
