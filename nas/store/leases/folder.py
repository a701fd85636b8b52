"""Which workers on this machine are alive: each holds a lock that its death releases."""

from __future__ import annotations

import os
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nas.locks import FLAGS, can_lock, is_at, locked, take
from nas.store.leases.waiting import Waiting
from search_spaces.errors import WriteError
from search_spaces.files import make_folder, remove_empty

__all__ = ["FolderLease", "new_name"]

# As search_spaces.files.atomic_path names them.
_HALF_WRITTEN = re.compile(
    r"\.(trials|front|run|best|pareto|\d+|[0-9a-f]{16})"
    r"\.[a-z0-9_]{8}\.(csv|yaml|safetensors|png|svg|pt)"
)


class FolderLease:
    """A worker's sign of life, as a locked file in a folder that all its peers see.

    Args:
        folder: of the locks.
        run: the run folder, where the dead may have left half-written files; ``None``: nowhere.

    Attributes:
        worker: a name for this worker that is unique among all machines.
    """

    def __init__(self, folder: Path, run: Path | None = None) -> None:
        self._folder, self._run = folder, run
        self.worker = new_name()
        self._made: list[Path] = []
        try:
            self._file = self._locked(self._path(self.worker))
        except OSError as error:
            raise WriteError(
                f"cannot write {folder}: {error.strerror}; choose a run folder that can be written"
            ) from error

    def alive(self, worker: str) -> bool:
        """A worker of another machine is taken to be alive."""
        if worker == self.worker:
            return True
        if not worker:
            return False
        path = self._path(worker)
        if not path.exists():
            return not worker.startswith(f"{socket.gethostname()}-")
        with _tried(path) as ours:
            return not ours

    def check(self) -> None:
        """Never raises: the kernel keeps the lock for as long as the process lives."""

    def renew(self) -> None:
        """Changes nothing: a lock is not lost."""

    def alone(self) -> bool:
        """Whether no other worker of this folder is alive."""
        others = {path.stem for path in self._folder.glob("*.lock")} - {self.worker}
        return not any(self.alive(other) for other in others)

    @contextmanager
    def turn(self, limit_s: float | None = None) -> Iterator[None]:
        waiting = Waiting(limit_s)
        waiting.look()
        with locked(self._folder / "turn", wait=True, pause=waiting.pause):
            yield

    def has_turn(self) -> bool:
        """Always: the kernel keeps the lock for as long as the process lives."""
        return True

    def sweep(self) -> None:
        """Removes the leases of the dead and the half-written files that they left behind."""
        if not self.alone():
            return
        for path in self._folder.glob("*.lock"):
            if path.stem != self.worker:
                with _tried(path) as ours:
                    if ours:
                        path.unlink(missing_ok=True)
        for folder in (".", "weights", "checkpoints") if self._run else ():
            for path in (Path(self._run or "") / folder).glob(".*"):
                if _HALF_WRITTEN.fullmatch(path.name):
                    path.unlink(missing_ok=True)

    def release(self) -> None:
        """Ends the lease; the last worker leaves no folder in which nothing but locks was."""
        self._path(self.worker).unlink(missing_ok=True)
        os.close(self._file)
        if not can_lock() or not self.alone():
            return
        with suppress(OSError):
            turn = self._folder / "turn"
            with locked(turn, wait=False) as ours:
                if ours:
                    turn.unlink()
            remove_empty(self._made or [self._folder])

    def _path(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"

    def _locked(self, path: Path) -> int:
        """Opens the file and locks it; again where a peer swept it away in between."""
        while True:
            self._made = self._made or make_folder(path.parent)
            try:
                file = os.open(path, FLAGS, 0o644)
            except FileNotFoundError:
                # The last of the peers before this one has just removed the folder.
                self._made = []
                continue
            take(file)
            if is_at(file, path):
                return file
            os.close(file)


def new_name() -> str:
    """A name that no other worker has, on any machine; it begins with the machine's."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"


@contextmanager
def _tried(path: Path) -> Iterator[bool]:
    """Whether the lock of a lease could be taken, so that its worker is dead."""
    try:
        file = os.open(path, FLAGS & ~os.O_CREAT)
    except FileNotFoundError:
        yield True
        return
    try:
        yield take(file, wait=False)
    finally:
        os.close(file)
