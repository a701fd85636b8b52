"""A network's files for a command, written by the exports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from nas.latency.command.template import FilePlace, network_formats
from search_spaces import Architecture, Network

__all__ = [
    "NetworkFiles", "file_values", "reference_architecture", "sized_file", "write_files",
]  # fmt: skip

NetworkFiles: TypeAlias = Mapping[str, Path]
"""A network's files by their endings."""

_CHANNELS, _BLOCKS = 16, 4


def write_files(
    network: Network, formats: Iterable[str], folder: Path, lr_size: tuple[int, int]
) -> NetworkFiles:
    """Writes a network in each format, under a name of letters and digits alone.

    Formats that can are written for input of ``lr_size`` (height, width) alone, which devices take
    fastest, and some alone.

    Raises:
        NotPossible: it cannot be written in one of them.
        InputError: what a format needs is not installed, or the folder cannot be written.
    """
    files: dict[str, Path] = {}
    known = network_formats()
    for name in formats:
        one = known[name]
        usual, *_ = endings = (one.endings[0], *one.beside)
        made = {ending: folder / f"{network.architecture.hash}{ending}" for ending in endings}
        if not made[usual].exists():
            one.write(
                network if one.weights else network.architecture, made[usual], lr_size=lr_size
            )
        files |= made
    return files


def sized_file(path: Path, folder: Path, lr_size: tuple[int, int]) -> Path:
    """A network's file as a device is given it: itself, or in the folder one for ``lr_size``.

    Raises:
        InputError: it cannot be read, or made so.
    """
    ending = path.suffix.lower()
    one = next(one for one in network_formats().values() if ending in one.endings)
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    return one.sized(path, folder / f"{name}{ending}", lr_size)


def file_values(places: Mapping[str, FilePlace], files: NetworkFiles) -> dict[str, Path]:
    """What stands in the places for files."""
    return {name: files[place.ending] for name, place in places.items()}


def reference_architecture(scale: int, colors: int) -> Architecture:
    """The small fixed network that is timed beside every other; all runtimes know its parts."""
    return Architecture.from_dict(
        {
            "scale": scale,
            "colors": colors,
            "channels": _CHANNELS,
            "activation": "relu",
            "blocks": [{"repeat": _BLOCKS, "kind": "plain"}],
            "fusion": "none",
            "image_skip": "none",
        }
    )
