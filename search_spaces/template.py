"""A space's template, and the values of a point put into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from search_spaces.dimension import Dimension, Label
from search_spaces.errors import InputError, nearest
from search_spaces.part import shown

__all__ = ["Point", "Template", "names_in"]

# Ten choices, each of which names the next one ten times, would put in ten thousand million.
_MOST_VALUES = 100_000

Point = Mapping[str, Label]
"""A value for each active dimension: a choice's label, or a number for a filling one."""


def names_in(value: Any) -> set[str]:
    """The dimensions that a template or fragment names."""
    if isinstance(value, str):
        return {value[1:]} if value.startswith("$") else set()
    if isinstance(value, Mapping):
        # A share is one of channels without saying so.
        implied = {"channels"} if set(value) == {"share"} else set()
        return names_in(list(value.values())) | implied
    return set[str]().union(*map(names_in, value)) if isinstance(value, list) else set()


class Template:
    """A template with a point's values put in."""

    def __init__(self, dimensions: Sequence[Dimension], point: Point) -> None:
        self._dimensions = {d.name: d for d in dimensions}
        self._point = point
        self._resolved = 0

    def resolve(self, value: Any) -> Any:
        """Plain data in which nothing is left to put in.

        Raises:
            InputError: an unknown dimension, one without a value, a bad ``use`` or ``share``, or
                choices that put in others again and again.
        """
        self._resolved += 1
        if self._resolved > _MOST_VALUES:
            raise InputError(f"architecture: the choices put in more than {_MOST_VALUES} values")
        if isinstance(value, str) and value.startswith("$"):
            return self._value(value[1:])
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"share"}:
            return self._share(self.resolve(value["share"]))
        plain: dict[str, Any] = {}
        for key, item in value.items():
            resolved = self.resolve(item)
            if key == "use":
                if not isinstance(resolved, list):
                    raise InputError(f"use: expected a list of mappings, got {shown(resolved)}")
                for fragment in resolved:
                    if not isinstance(fragment, dict | None):
                        raise InputError(f"use: expected mappings, got {shown(fragment)}")
                    plain |= fragment or {}
            elif resolved is not None:
                plain[key] = resolved
        return plain

    def _value(self, name: str) -> Any:
        if name not in self._dimensions:
            raise InputError(
                f"architecture: unknown dimension ${name}{nearest(name, self._dimensions)}"
            )
        if name not in self._point:
            raise InputError(f"expected a value for dimension {name!r}, found none")
        return self.resolve(self._dimensions[name].value(self._point[name]))

    def _share(self, share: Any) -> int:
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1e6:
            raise InputError(f"share: expected a positive number, got {shown(share)}")
        return max(1, round(share * int(self._value("channels"))))
