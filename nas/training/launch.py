"""Starts the processes of one training on this machine, and ends them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

__all__ = ["launch", "place"]

_GRACE_S = 30.0


def place() -> tuple[int, int, int]:
    """(rank, count, rank on this machine) as torchrun or `launch` says, else (0, 1, 0)."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    rank, count, local = (
        int(os.environ.get(name, d)) for name, d in zip(names, "010", strict=True)
    )
    return rank, count, local


def launch(arguments: Sequence[str], count: int) -> int:
    """Runs ``nas ARGUMENTS`` in ``count`` processes that meet each other.

    Ctrl-C reaches all of them. When one fails, the others are ended.

    Returns:
        The exit code: that of the first process unless only another one failed.
    """
    command = [sys.executable, "-m", "nas.cli.main", *arguments]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    shared["WORLD_SIZE"] = str(count)
    # Two processes with a thread for each core would only wait for each other.
    threads = max(1, (os.cpu_count() or 1) // count)
    shared["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", str(threads))
    started: list[subprocess.Popen[bytes]] = []
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        for rank in range(count):
            own = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            # What goes wrong in all of them is said once.
            quiet = None if rank == 0 else subprocess.DEVNULL
            environment = {**os.environ, **shared, **own}
            started.append(subprocess.Popen(command, env=environment, stderr=quiet, stdout=quiet))
        return _wait(started)
    except KeyboardInterrupt:
        for process in started:
            # From a terminal they have got one already: two at once count as one.
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        return _wait(started, _GRACE_S)
    finally:
        _end(started)
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _wait(processes: Sequence[subprocess.Popen[bytes]], limit_s: float | None = None) -> int:
    began = time.monotonic()
    while True:
        codes = [process.poll() for process in processes]
        if all(code is not None for code in codes):
            break
        if limit_s is None and any(codes):
            # The first one's own reason comes first: it may be about to say it.
            limit_s, began = 5.0, time.monotonic()
        if limit_s is not None and time.monotonic() - began > limit_s:
            break
        time.sleep(0.05)
    first, *others = [process.poll() for process in processes]
    return _plain(first) or next((_plain(code) for code in others if code), 0)


def _plain(code: int | None) -> int:
    if code is None:
        return 1
    # A process that a signal ended has a negative code; shells add 128.
    return code if code >= 0 else 128 - code


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()
    for process in processes:
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
