"""What lies in a folder: kinds, sizes and hashes, to be compared before and after."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Snapshot", "changes", "snapshot"]

Snapshot = Mapping[str, str]
"""Path below the folder -> what it is; links and pipes are not followed or opened."""

_KINDS = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device"}


def snapshot(folder: Path) -> Snapshot:
    """All that lies below a folder, by its path there."""
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            found[os.path.relpath(path, folder)] = _told(path)
    return found


def changes(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Path -> ``"new"``, ``"lost"`` or ``"changed"``."""
    found = dict.fromkeys(before.keys() - after.keys(), "lost")
    found |= dict.fromkeys(after.keys() - before.keys(), "new")
    found |= {path: "changed" for path in before.keys() & after.keys()
              if before[path] != after[path]}  # fmt: skip
    return dict(sorted(found.items()))


def _told(path: Path) -> str:
    about = path.lstat()
    kind = stat.S_IFMT(about.st_mode)
    if kind == stat.S_IFDIR:
        return "folder"
    if kind == stat.S_IFLNK:
        return f"link to {os.readlink(path)}"
    if kind != stat.S_IFREG:
        return _KINDS.get(kind, "other")
    with path.open("rb") as file:
        return f"{about.st_size} {hashlib.file_digest(file, 'sha256').hexdigest()}"
