"""A place for checkpoints and weights that several machines see: a folder or any fsspec URL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from search_spaces.errors import InputError, StoreError, first_line

__all__ = ["RemoteFiles"]

_MARK = "nas-study"


class RemoteFiles:
    """Files by name below a folder or URL; each appears whole or not at all.

    Args:
        place: a path, or a URL such as ``s3://bucket/folder``.

    Raises:
        InputError: no such kind of URL.
    """

    def __init__(self, place: Path | str) -> None:
        import fsspec

        self.place = str(place)
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.place)
        except (ImportError, ValueError) as error:
            raise InputError(
                f"checkpoints {self.place}: {first_line(error)}; expected a folder or a URL that "
                f"fsspec knows"
            ) from None

    def put(self, file: Path, name: str) -> None:
        """Copies a file there.

        Raises:
            StoreError: it cannot be written.
        """
        target = f"{self._root}/{name}"
        temporary = f"{target}.{uuid.uuid4().hex[:8]}.part"
        with self._failing("written"):
            try:
                self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
                self._files.put_file(str(file), temporary)
                self._files.mv(temporary, target)
            except Exception:
                with suppress(Exception):
                    self._files.rm(temporary)
                raise

    def get(self, name: str, file: Path) -> bool:
        """Copies a file from there. Returns whether it is there.

        Raises:
            StoreError: it cannot be read.
        """
        with self._failing("read"):
            # Another machine may have just written it.
            self._files.invalidate_cache()
            there = bool(self._files.exists(f"{self._root}/{name}"))
            if there:
                file.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(f"{self._root}/{name}", str(file))
        return there

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder there, without it."""
        found: list[str] = []
        with self._failing("read"), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            found = self._files.ls(f"{self._root}/{folder}", detail=False)
        return [path.rpartition("/")[2] for path in found]

    def mark(self, study: str) -> None:
        """Leaves a study's mark, which tells its workers that they see the same place."""
        if self.marked() == study:
            return
        with self._failing("written"):
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(f"{self._root}/{_MARK}", study.encode())

    def marked(self) -> str | None:
        """The study whose mark is there, if there is one."""
        with self._failing("read"), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            return str(self._files.cat_file(f"{self._root}/{_MARK}").decode())
        return None

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # every kind of store has its own
            raise StoreError(
                f"checkpoints {self.place} cannot be {what}: {first_line(error)}; what was "
                f"finished is kept: mend that, then run the same command again"
            ) from error
