"""What a figure is drawn on: the screen, or a paper's column or page."""

from __future__ import annotations

from typing import NamedTuple

from search_spaces.errors import InputError

__all__ = ["FORMATS", "SCREEN", "WIDTHS", "Sheet", "formats_of"]

FORMATS = ("png", "svg", "pdf")
"""What figures are written as."""

WIDTHS = {"column": 3.5, "page": 7.16}
"""Inches of one column and of a page's two, in the journals of the IEEE."""


class Sheet(NamedTuple):
    """Room for a figure.

    Attributes:
        width_inches: of the whole figure; None: as much as its panels like.
        titled: whether title, captions and notes stand in it; a paper has them beneath.
    """

    width_inches: float | None = None
    titled: bool = True

    @classmethod
    def named(cls, width: str, *, titled: bool = False) -> Sheet:
        """A ``"column"`` or a ``"page"``.

        Raises:
            InputError: another width.
        """
        if width not in WIDTHS:
            raise InputError(f"--width: expected {' or '.join(WIDTHS)}, got {width!r}")
        return cls(WIDTHS[width], titled)


SCREEN = Sheet()


def formats_of(text: str) -> tuple[str, ...]:
    """The formats in a list such as ``"pdf,png"``, in the order of :data:`FORMATS`.

    Raises:
        InputError: none, or an unknown one.
    """
    named = [word.strip().lower() for word in text.split(",")]
    if unknown := [word for word in named if word not in FORMATS]:
        raise InputError(f"--figures: expected some of {','.join(FORMATS)}, got {unknown[0]!r}")
    return tuple(one for one in FORMATS if one in named)
