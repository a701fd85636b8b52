"""The published systems by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from search_spaces.architecture import Architecture
from search_spaces.errors import InputError, nearest
from search_spaces.yaml_file import read_yaml

__all__ = ["Published", "preset", "preset_names", "published"]

_FOLDER = Path(__file__).parent / "presets"


@dataclass(frozen=True, slots=True)
class Published:
    """A published system: its title, its source, and whose design the preset is.

    ``design`` is ``"published"``, or ``"our reading"`` where the full paper was not at
    hand and no published count stands behind the preset.
    """

    name: str
    title: str
    source: str
    design: str
    about: str


def preset_names() -> list[str]:
    """The names of all presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def published(name: str) -> Published:
    """What is known of the preset ``name``."""
    data = _read(name)
    return Published(name, data["title"], data["source"], data["design"], data.get("about", ""))


def preset(name: str, scale: int = 4) -> Architecture:
    """The architecture of a published system.

    Raises:
        InputError: an unknown name (with the nearest one), or a scale but 1, 2, 3 and 4.
    """
    return Architecture.from_dict({"scale": scale, **_read(name)["architecture"]})


@lru_cache
def _read(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise InputError(f"unknown preset {name!r}{nearest(name, preset_names())}")
    return read_yaml(_FOLDER / f"{name}.yaml")[0]
