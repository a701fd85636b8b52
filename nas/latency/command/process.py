"""One call of a command: it ends in time, or is ended; what it says stays in bounds."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CommandFailed", "Printed", "run_command"]

_MOST_BYTES = 1 << 16
_LOOK_S = 0.1
_END_S, _STEP_S = 2.0, 0.02
"""So long it may take to end, once when it is asked to and once when it is made to."""


class CommandFailed(Exception):
    """A call that came to nothing; one line says why."""


@dataclass(frozen=True, slots=True)
class Printed:
    """The end of what a command printed."""

    out: str
    err: str


def run_command(words: Sequence[str], limit_s: float, stop: threading.Event) -> Printed:
    """Runs a command without a shell and without a terminal, in a process group of its own.

    Args:
        words: the program and its arguments.
        limit_s: it and all that it started are ended after so long, and when this call is left.
        stop: set by whoever no longer needs an answer.

    Raises:
        CommandFailed: it cannot be started, takes too long, or ends with another code than 0.
    """
    try:
        # Without a terminal ssh asks nobody for a password, and Ctrl-C is ours to pass on.
        process = subprocess.Popen(
            list(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CommandFailed(f"cannot be started ({reason})") from None
    try:
        printed = _read(process, time.monotonic() + limit_s, stop)
        code = process.wait()
    except TimeoutError:
        how = "was ended" if _end(process) else "cannot be ended"
        raise CommandFailed(f"took more than {limit_s:g} s and {how}") from None
    except BaseException:
        _end(process)
        raise
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    if code:
        told = (printed.err.strip() or printed.out.strip() or "it says nothing").splitlines()[-1]
        how = f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
        raise CommandFailed(f"{how}: {told.strip()[:200]}")
    return printed


def _read(process: subprocess.Popen[bytes], until: float, stop: threading.Event) -> Printed:
    """What it prints until it ends; a child that it leaves behind isn't waited for."""
    assert process.stdout is not None
    assert process.stderr is not None
    tails = {process.stdout.fileno(): b"", process.stderr.fileno(): b""}
    with selectors.DefaultSelector() as selector:
        for file in tails:
            os.set_blocking(file, False)
            selector.register(file, selectors.EVENT_READ)
        while selector.get_map():
            # Asked first: what it printed before it ended is there to be read then.
            ended = process.poll() is not None
            ready = selector.select(0 if ended else _LOOK_S)
            for key, _ in ready:
                piece = os.read(key.fd, _MOST_BYTES)
                tails[key.fd] = (tails[key.fd] + piece)[-_MOST_BYTES:]
                if not piece:
                    selector.unregister(key.fd)
            if stop.is_set():
                raise CommandFailed("is no longer needed")
            if time.monotonic() > until:
                raise TimeoutError
            if ended and not ready:
                break
    # It may have closed what it prints to and go on.
    while not _has_ended(process):
        if stop.is_set():
            raise CommandFailed("is no longer needed")
        if time.monotonic() > until:
            raise TimeoutError
    out, err = (tail.decode("utf-8", "replace") for tail in tails.values())
    return Printed(out, err)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_LOOK_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> bool:
    """Ends it with all that it has started, at first kindly; whether it has ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _tell(process, number)
        until = time.monotonic() + _END_S
        # It may have ended, and a child of it not.
        while _tell(process, 0) and time.monotonic() < until:
            time.sleep(_STEP_S)
    return process.poll() is not None


def _tell(process: subprocess.Popen[bytes], number: int) -> bool:
    """Sends a signal to its group; whether anybody is left there."""
    process.poll()
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # Of sudo, say: who is not ours to end is not ours to wait for either.
        return False
    return True
