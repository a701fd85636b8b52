"""A place for checkpoints and weights that several machines see: a folder or any fsspec URL."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

from search_spaces.errors import InputError, StoreError

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
            line = str(error).splitlines()[0]
            raise InputError(
                f"checkpoints {self.place}: {line}; expected a folder or a URL that fsspec knows"
            ) from None

    def put(self, file: Path, name: str) -> None:
        """Copies a file there.

        Raises:
            StoreError: it cannot be written.
        """
        target = f"{self._root}/{name}"
        temporary = f"{target}.{uuid.uuid4().hex[:8]}.part"
        try:
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(file), temporary)
            self._files.mv(temporary, target)
        except Exception as error:  # every kind of store has its own
            with suppress(Exception):
                self._files.rm(temporary)
            raise self._failed("written", error) from error

    def get(self, name: str, file: Path) -> bool:
        """Copies a file from there. Returns whether it is there.

        Raises:
            StoreError: it cannot be read.
        """
        try:
            # Another machine may have just written it.
            self._files.invalidate_cache()
            if not self._files.exists(f"{self._root}/{name}"):
                return False
            file.parent.mkdir(parents=True, exist_ok=True)
            self._files.get_file(f"{self._root}/{name}", str(file))
        except Exception as error:
            raise self._failed("read", error) from error
        return True

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        with suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder there, without it."""
        try:
            self._files.invalidate_cache()
            found = self._files.ls(f"{self._root}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise self._failed("read", error) from error
        return [str(path).rpartition("/")[2] for path in found]

    def mark(self, study: str) -> None:
        """Leaves a study's mark, which tells its workers that they see the same place."""
        if self.marked() == study:
            return
        try:
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(f"{self._root}/{_MARK}", study.encode())
        except Exception as error:
            raise self._failed("written", error) from error

    def marked(self) -> str | None:
        """The study whose mark is there, if there is one."""
        try:
            self._files.invalidate_cache()
            return str(self._files.cat_file(f"{self._root}/{_MARK}").decode())
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._failed("read", error) from error

    def _failed(self, what: str, error: Exception) -> StoreError:
        line = (str(error) or type(error).__name__).splitlines()[0]
        return StoreError(
            f"checkpoints {self.place} cannot be {what}: {line}; what was finished is kept: "
            f"mend that, then run the same command again"
        )
