"""Users' own parts, from their files and packages."""

from __future__ import annotations

import runpy
from collections.abc import Iterable
from importlib.metadata import entry_points
from pathlib import Path

from search_spaces.errors import InputError
from search_spaces.regular import irregular

__all__ = ["GROUP", "import_parts", "imported_files"]

_imported: list[Path] = []

GROUP = "nas_sr.parts"
"""The entry-point group under which an installed package adds its parts."""


def import_parts(files: Iterable[Path | str] = ()) -> None:
    """Runs the given Python files and all packages of the entry-point group.

    Each adds its parts to the tables, as in ``ATTENTIONS.add("mine", MyAttention)``.

    Raises:
        InputError: a file that is not there or fails, with its own error.
    """
    for point in entry_points(group=GROUP):
        point.load()
    for file in files:
        path = Path(file)
        if problem := irregular(path):
            raise InputError(f"--import {path}: {problem}; expected a Python file with parts")
        try:
            runpy.run_path(str(path), run_name=path.stem)
            _imported.append(path.resolve())
        except InputError as error:
            raise InputError(f"--import {path}: {error}") from None
        except (Exception, SystemExit) as error:  # whatever the file raises
            kind = type(error).__name__
            raise InputError(f"--import {path}: it fails with {kind}: {error}") from error


def imported_files() -> tuple[Path, ...]:
    """The files that were run so far, for further processes that need the same parts."""
    return tuple(_imported)
