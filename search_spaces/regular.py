"""Reading regular files alone: whoever opens a pipe waits for a writer who may never come."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["check_regular", "irregular", "open_regular", "read_regular"]

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_regular(path: Path | str) -> None:
    """Returns where a regular file is, be it by links; for libraries that open a path themselves.

    Raises:
        OSError: nothing there, a loop of links, a folder, or a pipe, socket or device; its
            ``strerror`` says which.
    """
    _check(path, os.stat(path).st_mode)


def irregular(path: Path | str) -> str | None:
    """Why there is no regular file at a path, in a few words; None where there is one."""
    try:
        check_regular(path)
    except FileNotFoundError:
        return "no such file"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def open_regular(path: Path | str) -> BinaryIO:
    """The file opened for reading, without waiting for anybody.

    Raises:
        OSError: as `check_regular`, or it may not be read.
    """
    # Some devices do something when they are opened: look before, and again at what was opened.
    check_regular(path)
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        _check(path, os.fstat(file).st_mode)
        return os.fdopen(file, "rb")
    except BaseException:
        os.close(file)
        raise


def read_regular(path: Path | str) -> bytes:
    """All of the file.

    Raises:
        OSError: as `open_regular`.
    """
    with open_regular(path) as file:
        return file.read()


def _check(path: Path | str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"{kind}, not a regular file", str(path))
