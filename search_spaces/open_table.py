"""Things of one sort by name, to which a file of one's own may add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from search_spaces.errors import InputError

__all__ = ["OpenTable"]

_Thing = TypeVar("_Thing")


class OpenTable(Mapping[str, _Thing]):
    """A mapping that grows and forgets nothing.

    Args:
        sort: what its things are, for messages.
        things: those that are there from the first.
    """

    def __init__(self, sort: str, things: Mapping[str, _Thing]) -> None:
        self.sort = sort
        self._entries = dict(things)

    def add(self, name: str, thing: _Thing) -> None:
        """Adds one; a failed add changes nothing.

        Raises:
            InputError: the name is taken.
        """
        if name in self._entries:
            raise InputError(f"{self.sort} {name!r} is there already: choose another name")
        self._entries[name] = thing

    def __getitem__(self, name: str) -> _Thing:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
