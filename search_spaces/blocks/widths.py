"""Lists of widths as options of blocks: one number stands for several equal ones."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainValidator

from search_spaces.errors import InputError
from search_spaces.part import shown

__all__ = ["Widths", "collapsed", "spread"]


def _widths(value: Any) -> int | tuple[int, ...] | None:
    several = list(value) if isinstance(value, (list, tuple)) else [value]
    if value is not None and not all(type(width) is int and width > 0 for width in several):
        raise InputError(f"expected a width of at least 1 or a list of them, got {shown(value)}")
    return tuple(value) if isinstance(value, list) else value


Widths = Annotated[int | tuple[int, ...] | None, PlainValidator(_widths)]
"""One width, a list of them, or none given."""


def spread(name: str, widths: Widths, count: int, default: int) -> tuple[int, ...]:
    """``count`` widths; ``default`` for each where none are given.

    Raises:
        InputError: another number of widths.
    """
    if widths is None or isinstance(widths, int):
        return (default if widths is None else widths,) * count
    if len(widths) != count:
        raise InputError(f"{name}: expected one width or {count} of them, got {list(widths)}")
    return widths


def collapsed(widths: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all are equal, so that equal blocks have equal options."""
    return widths[0] if len(set(widths)) == 1 else widths
