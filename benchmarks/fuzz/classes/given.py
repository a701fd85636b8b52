"""Valid things, copied into the folder of a case."""

from __future__ import annotations

import shutil
from pathlib import Path

__all__ = ["bring"]


def bring(place: Path, valid: Path, *wanted: str) -> None:
    """Copies files and folders by name from the folder of valid things."""
    for name in wanted:
        source, target = valid / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copyfile(source, target)
