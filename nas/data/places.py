"""Where photos are, so that whoever takes a network up finds those that it was judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["ONLY_SET", "PhotoPlaces"]

ONLY_SET = "validation"
"""What a set is called that has no name of its own."""


@dataclass(frozen=True, slots=True)
class PhotoPlaces:
    """Folders of photos.

    Attributes:
        data: to train on; None: the photos that come along.
        val: to judge by, by the set's name, the first of which decides; empty: some of those to
            train on are set apart.
    """

    data: Path | None = None
    val: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Path | None, val: Path | None) -> PhotoPlaces:
        """Those of a search or a compression, which have one validation set at most."""
        return cls(data, {} if val is None else {ONLY_SET: val})

    def to_plain(self) -> dict[str, Any]:
        """For a file; `from_plain` of it gives the same folders, wherever the reader is."""
        return {
            "data": None if self.data is None else str(self.data.resolve()),
            "val": {name: str(folder.resolve()) for name, folder in self.val.items()},
        }
