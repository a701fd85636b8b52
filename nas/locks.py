"""A file that one process has to itself; the kernel frees it when that process dies."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on Windows: every process has every file to itself there
    fcntl = None  # type: ignore[assignment]

__all__ = ["FLAGS", "locked"]

FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
"""How a lock's file is opened: a link in a folder of somebody else's leads nowhere."""


@contextmanager
def locked(path: Path, *, wait: bool, pause: Callable[[], None] | None = None) -> Iterator[bool]:
    """Holds a lock on a file, which is made if need be and stays.

    Args:
        path: of the file; its folder is there.
        wait: for whoever holds it now.
        pause: called between tries while it waits; what it raises ends the wait. By default the
            kernel is waited for, without an end.

    Yields:
        Whether it is held; without ``wait``, false where another holds it.

    Raises:
        OSError: the file cannot be made.
    """
    file = os.open(path, FLAGS, 0o644)
    try:
        while not (held := _taken(file, block=wait and pause is None)) and wait:
            assert pause is not None
            pause()
        yield held
    finally:
        os.close(file)


def _taken(file: int, *, block: bool) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
