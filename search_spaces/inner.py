"""The widths inside a part that pruning may lower, as the part itself names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["TRUNK", "Inner", "Place", "free", "within"]

Place = tuple[str | int, ...]
"""An option; behind it an index, for one of a list, or the place in a part that it names."""

TRUNK: Place = ("channels",)
"""The width that all blocks share, which each of them can bind to multiples of a step."""


class Inner(NamedTuple):
    """One width inside a part.

    Attributes:
        place: where the part's options state it.
        now: its value; None for one that follows from the others, which ``canonical`` fills in.
        step: every smaller value is a multiple of it; ``now`` itself lets it stay as it is.
    """

    place: Place
    now: int | None
    step: int = 1


def free(option: str, widths: int | Iterable[int]) -> Iterator[Inner]:
    """An option that is one width, or all the widths of one that is a list."""
    if isinstance(widths, int):
        yield Inner((option,), widths)
    else:
        yield from (Inner((option, k), width) for k, width in enumerate(widths))


def within(option: str, widths: Iterable[Inner]) -> Iterator[Inner]:
    """The widths inside a part that stands in an option."""
    return (inner._replace(place=(option, *inner.place)) for inner in widths)
