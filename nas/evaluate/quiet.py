"""A lock between processes: many may train at once, but whoever measures time is alone.

Trainers hold the lock shared for one step at a time; a measurement holds it exclusively. The
kernel drops both when a process dies, however it dies.
"""

from __future__ import annotations

import getpass
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on Windows: measure without the lock
    fcntl = None  # type: ignore[assignment]

__all__ = ["lock_folder", "measuring", "training_step"]


def lock_folder() -> Path:
    """Where the two lock files are: one folder a user, so that all runs of a user see it."""
    user = str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"nas-quiet-{user}"


@contextmanager
def training_step() -> Iterator[None]:
    """Hold the machine shared for one step; waits while another process measures."""
    lock = _lock()
    if lock is None or getattr(_held, "measuring", False):
        yield
        return
    # Passing the gate first lets a waiting measurement in: nobody new gets past it.
    lock.acquire(lock.gate, shared=True)
    lock.release(lock.gate)
    lock.acquire(lock.room, shared=True)
    try:
        yield
    finally:
        lock.release(lock.room)


@contextmanager
def measuring() -> Iterator[None]:
    """Hold the machine alone; waits for the steps under way, not for whole trainings.

    May be nested in one thread; must not be entered inside `training_step`.
    """
    lock = _lock()
    if lock is None or getattr(_held, "measuring", False):
        yield
        return
    lock.acquire(lock.gate, shared=False)
    try:
        lock.acquire(lock.room, shared=False)
        _held.measuring = True
        yield
    finally:
        _held.measuring = False
        lock.release(lock.room)
        lock.release(lock.gate)


_held = threading.local()


class _Lock:
    """Open files of this process; a flock belongs to the open file, so threads share it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.pid = os.getpid()
        self.gate = os.open(folder / "gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.room = os.open(folder / "room", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @staticmethod
    def acquire(file: int, *, shared: bool) -> None:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)

    @staticmethod
    def release(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _lock() -> _Lock | None:
    if fcntl is None:
        return None
    # A forked child inherits open files and with them its parent's locks: it opens its own.
    found: _Lock | None = getattr(_held, "lock", None)
    if found is None or found.pid != os.getpid():
        try:
            found = _Lock(lock_folder())
        except OSError:
            return None
        _held.lock = found
    return found
