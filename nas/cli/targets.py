"""Places that a user names: what can be found out about them before the work begins.

Nothing that is there is overwritten unless ``--force`` is given: whether a file is one of ours or
was changed since, its name does not tell. Only what is written into a folder of ours (a run, a
training, a report) is written anew there, and that folder tells by itself that it is ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from search_spaces.errors import InputError
from search_spaces.files import check_free

__all__ = ["check_folder", "check_name", "check_target", "named_partners", "named_paths"]


def check_target(path: Path, option: str = "--output", *, force: bool) -> None:
    """Of one file.

    Raises:
        InputError: the place is a folder, has no name at all, or is taken.
    """
    # An empty word is the current folder to `Path`.
    if path.name in ("", "..") or path.is_dir():
        raise InputError(f"{option}: expected the name of a file to write, got the folder {path}")
    check_free(path, force=force)


def check_name(output: Path, *more: str, force: bool) -> None:
    """Of the files that `compress.network_file.write_network` makes of a name, and some ``more``.

    Args:
        output: the name.
        more: endings of further files.
        force: whether files that are there may be overwritten.

    Raises:
        InputError: no name, that of another kind of file, or a place that is taken.
    """
    from compress.network_file import stem_of

    path = stem_of(output)
    for ending in (".safetensors", ".yaml", *more):
        check_target(path.with_name(path.name + ending), force=force)


def check_folder(path: Path, *, force: bool) -> None:
    """Of a folder that is made as a whole.

    Raises:
        InputError: there is something in it, and ``force`` does not allow to overwrite it.
    """
    if not force and path.is_dir() and any(path.iterdir()):
        raise InputError(
            f"{path} is there already and not empty; give another name, or --force to overwrite "
            f"files in it"
        )


def named_paths(given: Iterable[str], option: str, what: str = "FOLDER") -> dict[str, Path]:
    """Paths by their names, as typed: ``NAME=FOLDER``, or ``FOLDER`` of its own name.

    Args:
        given: what was typed.
        option: where.
        what: the paths are of.

    Raises:
        InputError: nothing before or behind the sign, or a name that is given twice.
    """
    named: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals:
            name, folder = Path(text).resolve().name, text
        if not name or not folder:
            raise InputError(f"{option}: expected {what} or NAME={what}, got {text!r}")
        if name in named:
            raise InputError(f"{option}: {name} is given twice; give each its own name")
        named[name] = Path(folder)
    return named


def named_partners(
    given: Iterable[str], option: str, sets: Iterable[str], unnamed: str = ""
) -> dict[str, Path]:
    """Folders that belong to sets: ``NAME=FOLDER``, or ``FOLDER`` of the single set there is.

    Args:
        given: what was typed.
        option: where.
        sets: their names.
        unnamed: what a set is called that nobody has given.

    Raises:
        InputError: no set of that name, or several and none is named.
    """
    given, known = list(given), list(sets) or [unnamed]
    if len(given) == len(known) == 1 and "=" not in given[0]:
        given = [f"{known[0]}={given[0]}"]
    named = named_paths(given, option)
    for name, folder in named.items():
        if name not in known:
            raise InputError(
                f"{option} {folder}: no set is called {name}; expected NAME=FOLDER with one of "
                f"{', '.join(known)}"
            )
    return named
