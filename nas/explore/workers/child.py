"""A worker's process: told its job on standard input, it answers on standard output.

It stops, with its checkpoint saved, when standard input ends: on the word of the process that
started it, and on that one's death as well.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["main", "stopped_by_sigterm"]

INTERRUPTED = 130


def main() -> int:
    """Reads the job, works, and returns the exit code."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _stop_once)
    try:
        return _work()
    except KeyboardInterrupt:
        return INTERRUPTED


def _work() -> int:
    line = sys.stdin.readline()
    # What a library prints must not get between the messages.
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_stop_with_input, daemon=True).start()
    from nas.explore.workers.job import Job
    from nas.explore.workers.join import work_on
    from nas.explore.workers.messages import Failed, Sender
    from search_spaces.errors import InputError
    from search_spaces.extensions import import_parts

    tell = Sender(pipe)
    job = Job.from_json(line)
    try:
        import_parts(job.imports)
        work_on(job, tell)
    except InputError as error:
        tell(Failed(str(error)))
        return 2
    except BrokenPipeError:
        return INTERRUPTED
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        tell(Failed(f"cannot write{where}: {error.strerror}; what was finished is kept"))
        return 2
    return 0


def _stop_once(sign: int, frame: object) -> None:
    # A second word, when the first one is being heeded, would cut the saving short.
    for other in (signal.SIGINT, signal.SIGTERM):
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """In such a block a polite kill is a Ctrl-C: checkpoints are saved, trials handed back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop_with_input() -> None:
    while sys.stdin.readline():
        pass
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    code = main()
    # Nothing is left to be done, and a library's thread must not hold the process up.
    sys.stdout.flush()
    os._exit(code)
