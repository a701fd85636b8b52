"""A worker's process: told its job on standard input, it answers on standard output.

It stops, with its checkpoint saved, when standard input ends: on the word of the process that
started it, and on that one's death as well.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from nas.stopping import StopWish, stop_wish

__all__ = ["main"]

INTERRUPTED = 130

_STOP_SECONDS = 60.0


def main() -> int:
    """Reads the job, works, and returns the exit code."""
    try:
        # A second word, when the first one is being heeded, would cut the saving short.
        with stop_wish(once=True) as wish, wish.at_once():
            return _work(wish)
    except KeyboardInterrupt:
        return INTERRUPTED


def _work(wish: StopWish) -> int:
    line = sys.stdin.readline()
    # What a library prints must not get between the messages.
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    threading.Thread(target=_stop_with_input, daemon=True).start()
    from nas.workers.job import WorkerJob
    from nas.workers.join import work_on
    from nas.workers.messages import Failed, Message, Sender
    from search_spaces.errors import InputError
    from search_spaces.extensions import import_parts

    # One that came in the middle of an import may have been swallowed there.
    wish.heed()
    tell = Sender(pipe)

    def tell_or_stop(message: Message) -> None:
        try:
            tell(message)
        except BrokenPipeError:
            # Nobody listens any more: the same as a word to stop, and in time to hand work back.
            raise KeyboardInterrupt from None

    job = WorkerJob.from_json(line)
    try:
        import_parts(job.imports)
        work_on(job, tell_or_stop)
    except InputError as error:
        tell_or_stop(Failed(str(error)))
        return 2
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        tell_or_stop(Failed(f"cannot write{where}: {error.strerror}; what was finished is kept"))
        return 2
    return 0


def _stop_with_input() -> None:
    while sys.stdin.readline():
        pass
    os.kill(os.getpid(), signal.SIGINT)
    # Whoever started it may be dead, and nobody else would end a worker that cannot stop.
    time.sleep(_STOP_SECONDS)
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    code = main()
    # Nothing is left to be done, and a library's thread must not hold the process up.
    sys.stdout.flush()
    os._exit(code)
