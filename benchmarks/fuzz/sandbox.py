"""Runs a function in a forked child: with limits, a home of its own, and all that it prints kept.

The parent has loaded everything heavy and uses no threads, so that a child begins at once and
in a sound state.
"""

from __future__ import annotations

import atexit
import os
import resource
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from benchmarks.fuzz import processes

__all__ = ["Ended", "Limits", "Place", "run_apart"]

_ROOM_MB = 3_000
"""Address space beyond the start's: what keeps the machine safe where the watch is too slow."""

_FILE_MB = 500
_GRACE_S = 8.0
_LOOK_MS = 100
_MOST_PROCESSES = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """When a child is ended.

    Attributes:
        seconds: of its own time: while it ran or slept, not while it stood in line for a processor
            that others kept busy.
        memory_mb: beyond what it began with, and with its own children.
        stop: at its time it is told to stop as by Ctrl-C, and has a while to do so.
    """

    seconds: float = 10.0
    memory_mb: float = 1_000.0
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of a case: where it runs, and what is noted of it outside."""

    case: Path
    home: Path
    temporary: Path
    notes: Path

    @classmethod
    def make(cls, folder: Path) -> Place:
        """Fresh folders below one that is there."""
        place = cls(folder / "case", folder / "home", folder / "tmp", folder / "notes")
        for one in (place.case, place.home, place.temporary, place.notes):
            one.mkdir()
        return place


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended.

    Attributes:
        code: its exit code; None where a signal ended it.
        signal: that signal.
        out: what it printed.
        err: the same on standard error.
        seconds: its own time: see ``Limits``.
        cpu_s: processor time, that of its children included.
        peak_mb: the most memory that it had beyond its start.
        told: whether it was told to stop at its time.
        killed: why we ended it: ``"time"``, ``"memory"``, ``"processes"``, or ``""``.
        orphans: processes that it left behind.
    """

    code: int | None
    signal: int | None
    out: str
    err: str
    seconds: float
    cpu_s: float
    peak_mb: float
    told: bool = False
    killed: str = ""
    orphans: int = 0


def run_apart(action: Callable[[], object], place: Place, limits: Limits) -> Ended:
    """Runs it in a child and waits for its end.

    Args:
        action: what to run; its exit code is that of its SystemExit, 0 without one.
        place: where.
        limits: of time and memory.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _child(action, place)
    try:
        told, killed, peak_mb = _watch(pid, limits, began)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        processes.end(pid)
        raise
    # The kernel's account of the time in line goes with the process.
    waited_s = processes.usage(pid).waited_s
    _, status, used = os.wait4(pid, 0)
    orphans = processes.end(pid)
    code = os.waitstatus_to_exitcode(status)
    # Ours may have been in line itself when the child ended.
    ended = _noted(place, "ended", time.monotonic())
    return Ended(
        code if code >= 0 else None,
        -code if code < 0 else None,
        (place.notes / "out").read_text("utf-8", "backslashreplace"),
        (place.notes / "err").read_text("utf-8", "backslashreplace"),
        max(0.0, ended - began - waited_s),
        used.ru_utime + used.ru_stime,
        max(peak_mb, used.ru_maxrss * 1024 / 1e6) - _noted(place, "start_mb", 0.0),
        told,
        killed,
        0 if killed else orphans,
    )


def _noted(place: Place, name: str, otherwise: float) -> float:
    file = place.notes / name
    return float(file.read_text()) if file.is_file() else otherwise


def _watch(pid: int, limits: Limits, began: float) -> tuple[bool, str, float]:
    """Until its end: whether it was told to stop, why it was killed, and its peak in MB."""
    told = False
    peak_mb, first_mb = 0.0, -1.0
    poll = select.poll()
    handle = os.pidfd_open(pid)
    poll.register(handle, select.POLLIN)
    try:
        while not poll.poll(_LOOK_MS):
            used = processes.usage(pid)
            if not used.pids:  # it does not lead its session yet, or has just ended
                continue
            first_mb = used.resident_mb if first_mb < 0 else first_mb
            peak_mb = max(peak_mb, used.resident_mb)
            own_s = time.monotonic() - began - used.waited_s
            killed = ""
            if used.resident_mb - first_mb > 1.5 * limits.memory_mb:
                killed = "memory"
            elif len(used.pids) > _MOST_PROCESSES:
                killed = "processes"
            elif own_s > limits.seconds + _GRACE_S * limits.stop:
                killed = "time"
            elif limits.stop and not told and own_s > limits.seconds:
                told = True
                os.kill(pid, signal.SIGINT)
            if killed:
                processes.end(pid)
                return told, killed, peak_mb
        return told, "", peak_mb
    finally:
        os.close(handle)


def _child(action: Callable[[], object], place: Place) -> NoReturn:
    code = 1
    try:
        _settle(place)
        try:
            action()
            code = 0
        except SystemExit as ending:
            code = _exit_code(ending)
        # What an interpreter does at its end, but for taking the parent's objects down.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = 1
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        _note(place, "ended", time.monotonic())
        os._exit(code)


def _note(place: Place, name: str, value: float) -> None:
    (place.notes / name).write_text(str(value))


def _exit_code(ending: SystemExit) -> int:
    if ending.code is None or isinstance(ending.code, int):
        return (ending.code or 0) & 0xFF
    print(ending.code, file=sys.stderr)
    return 1


def _settle(place: Place) -> None:
    os.setsid()
    os.chdir(place.case)
    # Ignored by what a shell has started in the background, and so by all its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(place.notes / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, number)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.environ.update(HOME=str(place.home), TMPDIR=str(place.temporary), COLUMNS="200", TERM="dumb")
    for name in ("NAS_STORAGE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        os.environ.pop(name, None)
    tempfile.tempdir = None
    pages = Path("/proc/self/statm").read_text().split()
    page = os.sysconf("SC_PAGE_SIZE")
    _note(place, "start_mb", int(pages[1]) * page / 1e6)
    room = int(pages[0]) * page + _ROOM_MB * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_MB * 1_000_000,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
