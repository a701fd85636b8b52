"""Files that one process has to itself; the kernel frees them when that process dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["FLAGS", "can_lock", "is_at", "let_go", "locked", "take"]

FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
"""How a lock's file is opened: a link in a folder of somebody else's leads nowhere."""

_said = False


def can_lock() -> bool:
    """Whether this system has such locks."""
    return fcntl is not None


def take(file: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Locks an open file until it is closed or let go.

    Where the system has no such locks, every process gets every one, and is told so once.

    Args:
        file: its descriptor.
        shared: with others that take it shared as well.
        wait: for whoever holds it now.

    Returns:
        Whether it is held.

    Raises:
        OSError: the file system has no locks.
    """
    global _said
    if fcntl is None:
        if not _said:
            told = "no file locks on this system: start nothing else that uses the same folder"
            print(f"nas: {told}", file=sys.stderr, flush=True)
        _said = True
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def let_go(file: int) -> None:
    """Ends the lock on an open file."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_UN)


def is_at(file: int, path: Path) -> bool:
    """Whether an open file is the one at a path, and not one that was removed there."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def locked(path: Path, *, wait: bool, pause: Callable[[], None] | None = None) -> Iterator[bool]:
    """Holds a lock on a file, which is made if need be; whoever holds it may remove it.

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
    while True:
        file = os.open(path, FLAGS, 0o644)
        try:
            while not (held := take(file, wait=wait and pause is None)) and wait:
                assert pause is not None
                pause()
            # Others would lock another file than one that was removed meanwhile.
            if not held or is_at(file, path):
                yield held
                return
        finally:
            os.close(file)
