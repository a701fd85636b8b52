"""A walk: commands in a folder of their own, each with what it promises."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["REPOSITORY", "Walk", "walking"]

REPOSITORY = Path(__file__).resolve().parents[2]
_COLUMNS = "80"


class Walk:
    """Runs commands as a user types them, and ends where one does not keep its promise.

    Args:
        folder: which they run in.
        code: whose ``nas`` they are: the root of a working copy.
    """

    def __init__(self, folder: Path, code: Path = REPOSITORY) -> None:
        self.folder = folder
        beside = str(Path(sys.executable).parent)
        self._environ = {
            **os.environ,
            "PATH": os.pathsep.join((beside, os.environ.get("PATH", ""))),
            "PYTHONPATH": str(code),
            "COLUMNS": _COLUMNS,
        }

    def run(self, command: str, promise: str, *, quiet: bool = False) -> str:
        """Prints the command, its promise and all that it says; returns the latter.

        Args:
            command: as a user types it.
            promise: what is to be there afterwards, for whoever reads along.
            quiet: whether what it says is read by the walk alone.

        Raises:
            SystemExit: it ends with another code than 0, or shows a traceback.
        """
        print(f"\n$ {command}\n  promises: {promise}", flush=True)
        process = subprocess.Popen(
            shlex.split(command), cwd=self.folder, env=self._environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        )  # fmt: skip
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if not quiet:
                print(f"  | {line.rstrip()}", flush=True)
        text = "".join(said)
        if process.wait() != 0 or "Traceback (most recent call last)" in text:
            print(text if quiet else "", flush=True)
            sys.exit(f"broken: the command ended with code {process.returncode}")
        return text

    def holds(self, promise: str, kept: bool) -> None:
        """Says that a promise is kept.

        Raises:
            SystemExit: it is not.
        """
        print(f"  {'kept' if kept else 'BROKEN'}: {promise}", flush=True)
        if not kept:
            sys.exit(f"broken: {promise}")

    def has(self, *names: str) -> None:
        """The same of files in the folder, which are there and not empty."""
        for name in names:
            path = self.folder / name
            self.holds(f"{name} is there", path.is_file() and path.stat().st_size > 0)


@contextmanager
def walking(name: str, keep: Path | None = None) -> Iterator[Path]:
    """A folder for a walk: a temporary one, or ``keep``, which stays."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix=f"walk-{name}-") as folder:
        yield Path(folder)
