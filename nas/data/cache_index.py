"""The index of photos prepared on disk: a line of JSON a photo, written behind its pixels.

While photos are prepared the file has another name, so that what is half done is not taken for
whole, and every line that stands there whole is a photo that need not be read again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas.data.photo import Digests
from nas.data.strips import STRIP_PX, strips_bytes
from search_spaces.errors import InputError

__all__ = ["INDEX", "UNFINISHED", "Entry", "Index", "Making", "first_line", "read_index"]

INDEX, UNFINISHED = "photos.jsonl", "photos.jsonl.part"

_KIND = "nas-sr photos"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Making:
    """The first line: what is prepared, and how.

    Attributes:
        name: of the folders that it is made of, see `nas.data.places.PhotoPlaces.name`.
        scales: of the LR.
        own_lr: whether that is the photos' own, at the one scale; else bicubic makes it.
    """

    name: str
    scales: tuple[int, ...]
    own_lr: bool

    @property
    def parts(self) -> dict[str, int]:
        """The files of pixels, and how many times smaller in each direction photos are there."""
        return {"hr.pixels": 1, **{f"lr_x{scale}.pixels": scale for scale in self.scales}}

    def line(self) -> str:
        kind = {"kind": _KIND, "format": _FORMAT, "strip_px": STRIP_PX}
        return _line({**kind, "name": self.name, "scales": self.scales, "own_lr": self.own_lr})

    @classmethod
    def of(cls, line: bytes) -> Making | None:
        """What a line says; None where it is not such a line.

        Raises:
            InputError: it is, of another version of this package.
        """
        plain = _read(line)
        if plain.get("kind") != _KIND:
            return None
        if (plain.get("format"), plain.get("strip_px")) != (_FORMAT, STRIP_PX):
            raise InputError(
                f"photos prepared in format {plain.get('format')}, expected {_FORMAT}; prepare "
                f"them again with this version"
            )
        return cls(str(plain["name"]), tuple(map(int, plain["scales"])), bool(plain["own_lr"]))


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that may be a photo.

    Attributes:
        name: as `Photo.name`.
        size: height and width in pixels.
        stamp: bytes and time of the last change of the file, and of that of its LR.
        digests: of its pixels; None where it was left out.
        reason: why.
    """

    name: str
    size: tuple[int, int]
    stamp: tuple[int, ...]
    digests: Digests | None
    reason: str | None = None

    def bytes_in(self, factor: int) -> int:
        """What it takes in a file of pixels, see `Making.parts`."""
        height, width = (side // factor for side in self.size)
        return 0 if self.digests is None else strips_bytes(height, width)

    def line(self) -> str:
        told = {"digests": self.digests} if self.reason is None else {"left_out": self.reason}
        return _line({"name": self.name, "size": self.size, "stamp": self.stamp, **told})

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Entry:
        height, width = map(int, plain["size"])
        digests = Digests(*plain["digests"]) if "digests" in plain else None
        reason = None if digests else str(plain["left_out"])
        return cls(plain["name"], (height, width), tuple(plain["stamp"]), digests, reason)


@dataclass(frozen=True, slots=True)
class Index:
    """All lines of an index.

    Attributes:
        making: the first one.
        entries: those of files, sorted by name.
        length: bytes of these lines.
        skipped: how many other files were left out, by reason; None: the end is not written yet.
    """

    making: Making
    entries: tuple[Entry, ...]
    length: int
    skipped: Mapping[str, int] | None

    @staticmethod
    def last_line(skipped: Mapping[str, int]) -> str:
        """The end of an index."""
        return _line({"end": True, "skipped": dict(skipped)})


def first_line(path: Path) -> Making | None:
    """The first line of an index; None where the file is none, or is not there."""
    try:
        with path.open("rb") as file:
            return Making.of(file.readline(100_000))
    except OSError:
        return None


def read_index(path: Path) -> Index | None:
    """As much of an index as is whole; None where not even its first line is."""
    lines = path.read_bytes().splitlines(keepends=True)
    making = Making.of(lines[0]) if lines and lines[0].endswith(b"\n") else None
    if making is None:
        return None
    entries: list[Entry] = []
    length = len(lines[0])
    for line in lines[1:]:
        plain = _read(line) if line.endswith(b"\n") else {}
        if plain.get("end"):
            return Index(making, tuple(entries), length, dict(plain["skipped"]))
        try:
            entries.append(Entry.of(plain))
        except (KeyError, TypeError, ValueError):
            break
        length += len(line)
    return Index(making, tuple(entries), length, None)


def _line(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain) + "\n"


def _read(line: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(line)
    except ValueError:
        return {}
    return plain if isinstance(plain, dict) else {}
