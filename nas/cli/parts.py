"""Parts of the user's own: loaded from the files that ``--import`` names before a command begins.

A run remembers in its run.yaml which files its search was given, a training in its train.yaml. They
are code, and a run may come from somebody else: nothing of it is run unless the user names the
file, says ``--trust``, or says yes where there is somebody to ask.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from nas.cli.lines import one_line
from search_spaces.errors import InputError
from search_spaces.extensions import GROUP, import_parts

__all__ = ["load_parts"]

_FILES = ("run.yaml", "train.yaml")
_NETWORKS = (".safetensors", ".yaml", ".yml")


def load_parts(arguments: Sequence[str]) -> list[str]:
    """Loads the user's parts; returns the arguments without what tells of them.

    Raises:
        InputError: a file that fails, or one that a run names and nobody has allowed.
    """
    rest, files, trusted = _taken(arguments)
    if "--help" in rest:
        return rest
    for run in dict.fromkeys(_runs(rest)):
        # The folder may have been moved with its file: then the name is what is left.
        given = {Path(file).name for file in files}
        wanted = [file for file in _remembered(run) if Path(file).name not in given]
        if wanted and not trusted:
            _ask(run, wanted)
        files += wanted
    # Finding out about packages takes longer than help may.
    if files or entry_points(group=GROUP):
        import_parts(files)
    return rest


def _taken(arguments: Sequence[str]) -> tuple[list[str], list[str], bool]:
    """The arguments without ``--import FILE`` and ``--trust``, the files, whether to trust runs."""
    rest: list[str] = []
    files: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--import":
            files.append(next(words, ""))
            if not files[-1]:
                raise InputError("--import: expected a Python file with parts behind it")
        elif word.startswith("--import="):
            files.append(word.removeprefix("--import="))
        elif word != "--trust":
            rest.append(word)
    return rest, files, "--trust" in arguments


def _runs(arguments: Sequence[str]) -> Iterator[Path]:
    """The run folders that are named, or whose networks are."""
    for word in filter(None, arguments):
        path = Path(word.partition("=")[2] if word.startswith("--") else word)
        try:
            inside = path.suffix in _NETWORKS and path.is_file()
            for folder in (path, *(path.resolve().parents[:2] if inside else ())):
                if any((folder / name).is_file() for name in _FILES):
                    yield folder
        except (OSError, ValueError, RuntimeError):
            # What is wrong with it, the command says itself.
            continue


def _remembered(run: Path) -> list[str]:
    from search_spaces.yaml_file import read_yaml

    found: list[str] = []
    for file in (run / name for name in _FILES):
        try:
            told = read_yaml(file)[0].get("imports") if file.is_file() else None
        except InputError:
            continue
        found += [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
    return list(dict.fromkeys(found))


def _ask(run: Path, files: Sequence[str]) -> None:
    named = " and ".join(files)
    if sys.stdin.isatty() and sys.stderr.isatty():
        question = f"{run} uses parts of {named}. Run the code in there? [y/N]"
        print(one_line(question), end=" ", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            # For processes that start with the same words, and for what is written of the command.
            sys.argv += [word for file in files for word in ("--import", file)]
            return
    again = " ".join(f"--import {shlex.quote(file)}" for file in files)
    raise InputError(
        f"{run} uses parts of {named}, code that is not run unasked: repeat {again}, or give "
        f"--trust to load what a run names"
    )
