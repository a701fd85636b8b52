"""Which workers on this machine are alive: each holds a lock that its death releases."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

from search_spaces.errors import InputError

try:
    import fcntl
except ImportError:  # no flock on Windows: one worker at a time there
    fcntl = None  # type: ignore[assignment]

__all__ = ["Lease"]


class Lease:
    """A worker's sign of life, as a locked file in a folder that all its peers see.

    Attributes:
        worker: a name for this worker that is unique among all machines.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path(self.worker), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        except OSError as error:
            raise InputError(
                f"cannot write {folder}: {error.strerror}; choose a run folder that can be written"
            ) from error
        if fcntl is not None:
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def alive(self, worker: str) -> bool:
        """Whether a worker still runs. One of another machine is taken to be alive."""
        if worker == self.worker:
            return True
        path = self._path(worker)
        if not path.exists():
            return not worker.startswith(f"{socket.gethostname()}-")
        if fcntl is None:
            return False
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def release(self) -> None:
        """Ends the lease and removes its file."""
        self._path(self.worker).unlink(missing_ok=True)
        os.close(self._file)

    def _path(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"
