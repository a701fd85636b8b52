"""Results as a table in a file: a record a row, written as they come."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_args, get_type_hints

from search_spaces.files import atomic_path

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Table"]

R = TypeVar("R", bound="DataclassInstance")


class Table(Generic[R]):
    """A CSV file.

    Args:
        kind: of its rows, a dataclass of strings, integers and floats; a field that may be None
            stands there as nothing.
        path: of the file; there is none before the first row.
    """

    def __init__(self, kind: type[R], path: Path) -> None:
        self.path = path
        self._kind, self._types = kind, get_type_hints(kind)

    def all(self) -> list[R]:
        """The rows in the order in which they came."""
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return [self._kind(**self._typed(one)) for one in csv.DictReader(file)]

    def append(self, row: R) -> None:
        """A row more; the file is whole at any time."""
        rows = [asdict(one) for one in (*self.all(), row)]
        with atomic_path(self.path) as temporary, temporary.open("w", newline="") as file:
            names = [one.name for one in fields(self._kind)]
            writer = csv.DictWriter(file, names, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def _typed(self, texts: dict[str, str]) -> dict[str, Any]:
        return {name: _typed(self._types[name], text) for name, text in texts.items()}


def _typed(kind: Any, text: str) -> Any:
    optional = [one for one in get_args(kind) if one is not NoneType]
    if optional and not text:
        return None
    return (optional[0] if optional else kind)(text)
