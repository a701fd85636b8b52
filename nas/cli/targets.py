"""Places that a user names: what can be found out about them before the work begins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from search_spaces.errors import InputError

__all__ = ["check_name", "check_target", "named_folders"]


def check_target(path: Path, option: str = "--output") -> None:
    """Of one file.

    Raises:
        InputError: the place is a folder, or has no name at all.
    """
    # An empty word is the current folder to `Path`.
    if path.name in ("", "..") or path.is_dir():
        raise InputError(f"{option}: expected the name of a file to write, got the folder {path}")


def check_name(output: Path) -> None:
    """Of the files that `compress.network_file.write_network` makes of a name.

    Raises:
        InputError: no name, that of another kind of file, or a folder in a file's place.
    """
    from compress.network_file import stem_of

    path = stem_of(output)
    for ending in (".safetensors", ".yaml"):
        check_target(path.with_name(path.name + ending))


def named_folders(given: Iterable[str], option: str) -> dict[str, Path]:
    """Folders by their names, as typed: ``NAME=FOLDER``, or ``FOLDER`` of its own name.

    Raises:
        InputError: nothing before or behind the sign, or a name that is given twice.
    """
    named: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals:
            name, folder = Path(text).resolve().name, text
        if not name or not folder:
            raise InputError(f"{option}: expected FOLDER or NAME=FOLDER, got {text!r}")
        if name in named:
            raise InputError(f"{option}: {name} is given twice; give each set its own name")
        named[name] = Path(folder)
    return named
