"""The verdict of an audit as a file of its run, for whoever tells of it later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from nas.audit.finding import findings
from nas.audit.store import without_nan
from nas.audit.trust import Trust
from nas.plain import from_plain
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.regular import read_regular

__all__ = ["read_verdict", "write_verdict"]

_FILE = "audit.json"


def write_verdict(folder: Path, trust: Trust, trials: Mapping[str, int]) -> Path:
    """Writes it into the audit's folder, with its findings and the trials of its networks."""
    path = folder / _FILE
    told = {"findings": findings(trust), "trials": dict(trials), **asdict(trust)}
    with atomic_path(path) as temporary:
        text = json.dumps(without_nan(told), indent=2, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_verdict(folder: Path) -> Trust | None:
    """That of the audit in a folder; None where there is none.

    Raises:
        InputError: the file holds something else.
    """
    path = folder / _FILE
    try:
        content = read_regular(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(f"{path}: expected what nas audit writes; run nas audit again") from None
    return from_plain(Trust, told, str(path))
