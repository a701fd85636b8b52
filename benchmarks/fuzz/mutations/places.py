"""Something else in place of a file: nothing, a folder, a pipe, a link that leads nowhere."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

__all__ = ["displaced"]


def displaced(rng: random.Random, path: Path) -> str:
    """Puts something else in place of a file or folder; returns what."""
    what = rng.choice(tuple(_WAYS))
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    _WAYS[what](path)
    return f"{path.name} is {what}"


def _looping(path: Path) -> None:
    other = path.with_name(f"{path.name}-2")
    other.symlink_to(path.name)
    path.symlink_to(other.name)


def _full_folder(path: Path) -> None:
    path.mkdir()
    (path / "x").write_text("x")


_WAYS: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "empty": Path.touch,
    "a folder": Path.mkdir,
    "a folder with a file": _full_folder,
    "a pipe that nobody writes to": os.mkfifo,
    "a link to itself": _looping,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a link to an empty device": lambda path: path.symlink_to("/dev/null"),
}
