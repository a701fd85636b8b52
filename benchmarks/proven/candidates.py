"""What the searches of the classes sent on, kept with the results: a search is made once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search_spaces import Architecture
from search_spaces.files import atomic_path

__all__ = ["Candidates"]


class Candidates:
    """A JSON file: by class and search, architectures by the name that they take part by."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, weight_class: str, search: str) -> Mapping[str, Architecture] | None:
        """Those of a search, the best first; None where there was none yet."""
        found = self._all().get(weight_class, {}).get(search)
        if found is None:
            return None
        return {name: Architecture.from_dict(one) for name, one in found.items()}

    def all(self, weight_class: str) -> Mapping[str, Architecture]:
        """Those of all searches of a class."""
        return {
            name: Architecture.from_dict(one)
            for found in self._all().get(weight_class, {}).values()
            for name, one in found.items()
        }

    def keep(self, weight_class: str, search: str, found: Mapping[str, Architecture]) -> None:
        """Writes down those of a search; the file is whole at any time."""
        kept = self._all()
        kept.setdefault(weight_class, {})[search] = {
            name: arch.to_dict() for name, arch in found.items()
        }
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(kept, indent=1) + "\n")

    def _all(self) -> dict[str, dict[str, dict[str, Any]]]:
        if not self.path.is_file():
            return {}
        return dict(json.loads(self.path.read_text()))
