"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from search_spaces.errors import InputError, WriteError

__all__ = ["atomic_path", "check_free", "make_folder", "remove_empty"]


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well.

    When the block raises (a full disk, say), the temporary file is removed, with the folders that
    were made for it, and what stood at ``path`` stays as it was.

    Raises:
        WriteError: the folder cannot be made or written, or ``path`` is one itself.
        OSError: from the block; where no more can be written, with ``path`` as its file's name.
    """
    target = Path(path)
    made: list[Path] = []
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        made = make_folder(target.parent)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent
        )
    except OSError as error:
        remove_empty(made)
        raise WriteError(
            f"cannot write {target}: {error.strerror or error}; choose "
            + (
                "the name of a file"
                if error.errno == errno.EISDIR
                else "a folder that can be written"
            )
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
        made = []
    except OSError as error:
        if error.errno in _FULL:
            # A write knows of no name, or of the temporary one.
            error.filename = str(target)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        remove_empty(made)


def check_free(path: Path, *, force: bool) -> None:
    """Of whatever a command writes.

    Raises:
        InputError: something is there, and ``force`` does not allow to overwrite it.
    """
    # A link that leads nowhere is something, too.
    if not force and (path.exists() or path.is_symlink()):
        raise InputError(f"{path} is there already; give another name, or --force to overwrite it")


def make_folder(folder: Path) -> list[Path]:
    """Makes it with its parents; returns those that were not there, the innermost first."""
    missing = []
    for one in (folder, *folder.parents):
        if one.exists():
            break
        missing.append(one)
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def remove_empty(folders: Iterable[Path]) -> None:
    """Removes folders, the first ones first, up to one that is in use."""
    for one in folders:
        try:
            one.rmdir()
        except OSError:
            # Somebody else has use for it.
            return


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
