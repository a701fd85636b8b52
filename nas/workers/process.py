"""The near side of a worker's process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nas.workers.job import WorkerJob
from nas.workers.messages import Message, receive

__all__ = ["Gone", "WorkerProcess"]


@dataclass(frozen=True, slots=True)
class Gone:
    """A worker's process has ended.

    ``reason`` is one line; ``well`` says that it had nothing left to do, or was told to stop.
    """

    code: int
    reason: str

    @property
    def well(self) -> bool:
        return self.code in (0, 2, 130)


class WorkerProcess:
    """A running worker.

    Args:
        job: what it is told.
        environment: variables besides this process's own, in force before it loads anything.
        log: file for what it prints; removed where it ends well.
        tell: called with each of its messages and at last with ``Gone``, from a thread.
    """

    def __init__(
        self,
        job: WorkerJob,
        environment: Mapping[str, str],
        log: Path,
        tell: Callable[[Message | Gone], None],
    ) -> None:
        self._log, self._tell = log, tell
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nas.workers.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(_path())},
                # A terminal's Ctrl-C is for the process that looks after the workers.
                process_group=0 if os.name == "posix" else None,
            )
        # One that died at once has closed its end.
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(f"{job.to_json()}\n".encode())
            self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> None:
        """Tells the worker to save its checkpoint and to end."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def kill(self) -> None:
        """Ends it on the spot."""
        self._process.kill()

    def join(self, seconds: float | None = None) -> None:
        """Waits for its end, and until all that it said has been passed on."""
        self._reader.join(seconds)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for message in receive(self._process.stdout):
            self._tell(message)
        code = self._process.wait()
        self._process.stdout.close()
        self.stop()
        gone = Gone(code, _reason(code, self._log))
        if gone.well:
            self._log.unlink(missing_ok=True)
        self._tell(gone)


def _path() -> list[str]:
    """Where this process finds its modules, so that the worker's finds the same ones."""
    return [entry or os.getcwd() for entry in sys.path]


def _reason(code: int, log: Path) -> str:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"killed by {name}{hint}"
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    last = lines[-1] if lines else f"exit code {code}"
    return f"{last[:200]} (see {log})" if lines else last
