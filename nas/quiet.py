"""A lock between processes: many may train at once, but whoever measures time is alone.

Trainers hold the lock shared for one step at a time; a measurement holds it exclusively. The
kernel drops both when a process dies, however it dies.
"""

from __future__ import annotations

import errno
import getpass
import os
import platform
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nas.locks import FLAGS, can_lock, let_go, locked, take

__all__ = ["alone_with", "lock_folder", "measuring", "training_step"]


_PATIENCE_S = 10.0
_SAID_AGAIN_S = 600.0


def lock_folder() -> Path:
    """Where the two lock files are: one folder a user, so that all runs of a user see it.

    Everybody may have made a folder of that name before: where it is not the user's own, all runs
    take `second_folder` instead, or go without where that isn't to be had either.
    """
    user = str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"nas-quiet-{user}"


def second_folder() -> Path:
    """One in the user's cache, for this machine alone: several may have the same home.

    Raises:
        OSError: the user has no home.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    try:
        cache = Path(given) if given else Path.home() / ".cache"
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, str(error)) from None
    return cache / "nas-sr" / f"quiet-{platform.node()}"


@contextmanager
def training_step() -> Iterator[None]:
    """Hold the machine shared for one step; waits while another process measures."""
    lock = _lock()
    if lock is None or getattr(_held, "measuring", False):
        yield
        return
    # Passing the gate first lets a waiting measurement in: nobody new gets past it.
    lock.acquire(lock.gate, shared=True)
    let_go(lock.gate)
    lock.acquire(lock.room, shared=True)
    try:
        yield
    finally:
        let_go(lock.room)


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
        let_go(lock.room)
        let_go(lock.gate)


@contextmanager
def alone_with(name: str) -> Iterator[bool]:
    """Whether this thread has the device of that name to itself, of all runs of this user here.

    Not waited for. Where there are no locks, everybody has it.

    Args:
        name: letters and digits alone.
    """
    lock = _lock()
    if lock is None:
        yield True
        return
    with locked(lock.folder / f"device-{name}", wait=False) as held:
        yield held


_held = threading.local()


class _Lock:
    """Open files of this process; a flock belongs to the open file, so threads share it.

    Raises:
        OSError: the folder or a file in it is not the user's own, or cannot be locked.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _check_own(os.fstat(place))
            self.gate = _own_file("gate", place)
            try:
                self.room = _own_file("room", place)
            except OSError:
                os.close(self.gate)
                raise
        finally:
            os.close(place)

    def acquire(self, file: int, *, shared: bool) -> None:
        if take(file, shared=shared, wait=False):
            return
        others = "measures latency" if shared else "trains or measures latency"
        told = f"waits for another process of yours that {others} (lock in {self.folder})"
        watch = threading.Timer(_PATIENCE_S, _say, [told])
        watch.daemon = True
        watch.start()
        try:
            take(file, shared=shared)
        finally:
            watch.cancel()


def _own_file(name: str, place: int) -> int:
    file = os.open(name, FLAGS | os.O_NONBLOCK, 0o600, dir_fd=place)
    try:
        _check_own(os.fstat(file))
        # Not every file system that several machines share can.
        if take(file, shared=True, wait=False):
            let_go(file)
    except BaseException:
        os.close(file)
        raise
    return file


def _check_own(found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o022:
        raise PermissionError(errno.EPERM, "others may write there")


def _lock() -> _Lock | None:
    # A forked child inherits open files and with them its parent's locks: it opens its own.
    pid, found = getattr(_held, "lock", (None, None))
    if pid != os.getpid():
        found = _opened()
        _held.lock = os.getpid(), found
    return found


def _opened() -> _Lock | None:
    reasons = [] if can_lock() else ["no file locks on this system"]
    for folder_of in (lock_folder, second_folder) if can_lock() else ():
        where = "the user's cache"
        try:
            where = str(folder := folder_of())
            return _Lock(folder)
        except OSError as error:
            reasons.append(f"{where}: {error.strerror or error}")
    _say(f"no other run of yours is waited for while latency is measured ({'; '.join(reasons)})")
    return None


_said: dict[str, float] = {}


def _say(what: str) -> None:
    now = time.monotonic()
    if now - _said.get(what, -_SAID_AGAIN_S) < _SAID_AGAIN_S:
        return
    _said[what] = now
    print(f"nas: {what}", file=sys.stderr, flush=True)
