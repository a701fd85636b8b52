"""Whether a file can be written to a place, found out before the work that it is to hold."""

from __future__ import annotations

from pathlib import Path

from search_spaces.errors import InputError

__all__ = ["check_name", "check_target"]


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
