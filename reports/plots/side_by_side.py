"""A photo and a piece of it as several methods enlarge it, side by side.

:class:`SideBySide` holds everything that the figure says; drawing it decides where it stands.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reports.plots.sheet import Sheet

__all__ = ["Layout", "Rendering", "SideBySide", "laid_out"]

Pixels = npt.NDArray[np.uint8]

# In inches: between pictures, a line of text beneath them, and the whole's edge.
_GAP, _LINE, _EDGE = 0.07, 0.15, 0.03
_MOST_ROWS, _IN_A_COLUMN = 3, 3


class Rendering(NamedTuple):
    """The piece by one method.

    Attributes:
        name: whose.
        pixels: (h, w, 3), uint8.
        figures: beneath its name, such as ``"28.41 dB  0.812"``; ``""``: none.
        best: whether its figures are the best of all.
    """

    name: str
    pixels: Pixels
    figures: str = ""
    best: bool = False


class SideBySide(NamedTuple):
    """All that the figure says.

    Attributes:
        title: over everything, where the sheet has titles.
        photo: whole, (H, W, 3), uint8.
        photo_name: beneath it.
        piece: (left, top, width, height) in the photo's pixels.
        renderings: of the piece, in order.
    """

    title: str
    photo: Pixels
    photo_name: str
    piece: tuple[int, int, int, int]
    renderings: tuple[Rendering, ...]


class Layout(NamedTuple):
    """Where everything stands, in inches from the upper left corner.

    Attributes:
        width: of the figure.
        height: of the figure.
        photo: (left, top, width, height) of the photo.
        cells: the same of each rendering's picture.
    """

    width: float
    height: float
    photo: tuple[float, float, float, float]
    cells: tuple[tuple[float, float, float, float], ...]


def laid_out(info: SideBySide, sheet: Sheet) -> Layout:
    """The photo at the left with rows of pieces beside it; in a narrow column above them."""
    count = len(info.renderings)
    whole = info.photo.shape[1] / info.photo.shape[0]
    piece = info.piece[2] / info.piece[3]
    lines = 2 if any(one.figures for one in info.renderings) else 1
    under = _LINE * lines + _GAP
    width = sheet.width_inches or 7.16
    over = _EDGE + (2 * _LINE if sheet.titled else 0.0)
    room = width - 2 * _EDGE
    if room < 5.0:
        # Four stand better in two rows of two.
        columns = 2 if count == 4 else min(count, _IN_A_COLUMN)
        side = (room - (columns - 1) * _GAP) / columns
        photo = (_EDGE, over, room, room / whole)
        left, top = _EDGE, over + room / whole + _LINE + _GAP
    else:
        # So many rows that a piece is as large as can be.
        def side_of(rows: int) -> float:
            columns = -(-count // rows)
            text = (rows - 1) * under + _LINE * (lines - 1)
            of_text = columns * _GAP + whole * text
            return float((room - of_text) / (whole * rows / piece + columns))

        rows = max(range(1, _MOST_ROWS + 1), key=side_of)
        columns, side = -(-count // rows), side_of(rows)
        high = rows * side / piece + (rows - 1) * under + _LINE * (lines - 1)
        photo = (_EDGE, over, whole * high, high)
        left, top = _EDGE + photo[2] + _GAP, over
    cells = tuple(
        (left + (i % columns) * (side + _GAP), top + (i // columns) * (side / piece + under),
         side, side / piece)
        for i in range(count)
    )  # fmt: skip
    lowest = max(cells[-1][1] + cells[-1][3] + _LINE * lines, photo[1] + photo[3] + _LINE)
    return Layout(width, lowest + _EDGE, photo, cells)
