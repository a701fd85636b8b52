"""Writing prepared photos: pixels first, then the line that says that they are there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas.data.cache_index import INDEX, UNFINISHED, Entry, Index, Making, read_index
from nas.locks import FLAGS, take
from search_spaces.errors import InputError

__all__ = ["CacheWriter", "Pieces"]

Pieces = Sequence[NDArray[np.uint8]]
"""Of one photo: its pixels for each of `Making.parts`, in the order of `as_strips`."""

# So much has to be decoded again, at most, after the power has failed.
_UNSAVED_BYTES, _UNSAVED_S = 200_000_000, 10.0


class CacheWriter:
    """The files of a folder that is being prepared; see `opened`.

    Attributes:
        entries: those that are written.
    """

    def __init__(self, folder: Path, index: Index, journal: int, files: Mapping[str, int]) -> None:
        self.folder, self.making, self.entries = folder, index.making, list(index.entries)
        self._journal, self._files = journal, files
        self._length, self._saved = index.length, len(self.entries)
        self._ends = {name: sum(entry.bytes_in(factor) for entry in self.entries)
                      for name, factor in self.making.parts.items()}  # fmt: skip
        self._unsaved_bytes, self._saved_at = 0, time.monotonic()

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, making: Making, *, fresh: bool) -> Iterator[CacheWriter]:
        """The writer, behind what is there whole already; what was added last is saved at the end.

        Args:
            folder: where; it is there.
            making: what is prepared.
            fresh: without what is there.

        Raises:
            InputError: another process is at it, or what is there was begun otherwise.
        """
        with ExitStack() as stack:

            def opened(name: str) -> int:
                file = os.open(folder / name, FLAGS, 0o644)
                stack.callback(os.close, file)
                return file

            journal = opened(UNFINISHED)
            if not take(journal, wait=False):
                raise InputError(f"{folder}: another process prepares it; wait for its end")
            if fresh:
                (folder / INDEX).unlink(missing_ok=True)
                for old in folder.glob("lr_x*.pixels"):
                    old.unlink()
                os.truncate(journal, 0)
            files = {name: opened(name) for name in making.parts}
            index = _whole(read_index(folder / UNFINISHED), files)
            if index is None:
                index = Index(making, (), _written(journal, making.line(), 0), None)
            elif index.making != making:
                raise InputError(
                    f"{folder}: begun from other folders or for other scales; give another "
                    f"folder, or --force to begin anew"
                )
            writer = cls(folder, index, journal, files)
            writer._cut()
            try:
                yield writer
            finally:
                # What is whole is kept; on a full disk there may be no room even for its lines.
                with suppress(OSError):
                    writer.save()
                with suppress(OSError):
                    writer._cut()

    def add(self, entry: Entry, pieces: Pieces) -> None:
        """Writes one photo, saved some time later.

        Raises:
            OSError: no room; it is as if it had not been called.
        """
        ends = dict(self._ends)
        for (name, file), piece in zip(self._files.items(), pieces, strict=False):
            try:
                ends[name] += _written(file, piece.data.cast("B"), ends[name])
            except OSError as error:
                error.filename = os.fspath(self.folder / name)
                raise
        self._unsaved_bytes += sum(ends.values()) - sum(self._ends.values())
        self._ends = ends
        self.entries.append(entry)
        if (
            self._unsaved_bytes > _UNSAVED_BYTES
            or time.monotonic() - self._saved_at > _UNSAVED_S
        ):  # fmt: skip
            self.save()

    def save(self) -> None:
        """Has the disk take what was added, and then says so."""
        new = self.entries[self._saved :]
        if new:
            for file in self._files.values():
                os.fsync(file)
            self._say("".join(entry.line() for entry in new))
        self._saved = len(self.entries)
        self._unsaved_bytes, self._saved_at = 0, time.monotonic()

    def finish(self, skipped: Mapping[str, int]) -> None:
        """All photos are there; so many other files were left out, by reason."""
        self.save()
        self._say(Index.last_line(skipped))
        os.replace(self.folder / UNFINISHED, self.folder / INDEX)

    def remove(self) -> None:
        """Removes the files: nothing came of them."""
        for name in (UNFINISHED, *self._files):
            (self.folder / name).unlink(missing_ok=True)

    def _say(self, lines: str) -> None:
        try:
            self._length += _written(self._journal, lines, self._length)
            os.fsync(self._journal)
        except OSError as error:
            error.filename = os.fspath(self.folder / UNFINISHED)
            raise

    def _cut(self) -> None:
        """Takes away what is not whole."""
        os.truncate(self._journal, self._length)
        for name, file in self._files.items():
            os.truncate(file, self._ends[name])


def _whole(index: Index | None, files: Mapping[str, int]) -> Index | None:
    """As much of an index as its files have pixels for."""
    if index is None:
        return None
    entries = list(index.entries)
    length = index.length
    sizes = [os.fstat(files[name]).st_size for name in index.making.parts if name in files]
    factors = index.making.parts.values()
    while entries and any(
        sum(entry.bytes_in(factor) for entry in entries) > size
        for factor, size in zip(factors, sizes, strict=False)
    ):
        length -= len(entries.pop().line().encode())
    return Index(index.making, tuple(entries), length, None)


def _written(file: int, content: str | memoryview, at: int) -> int:
    """Writes all of it there; how many bytes it has."""
    left = memoryview(content.encode()) if isinstance(content, str) else content
    size = len(left)
    while left:
        count = os.pwrite(file, left, at)
        left, at = left[count:], at + count
    return size
