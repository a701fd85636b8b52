"""A sheet of training patches: HR and LR side by side, with a text beneath each pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nas.data import Batch

__all__ = ["Layout", "drawn", "laid_out"]

# In pixels: the side of a shown patch is about the first, the sheet about the second.
_TILE, _WIDTH, _GAP, _FONT, _LINE = 256, 1400, 12, 14, 19


class Layout(NamedTuple):
    """Where everything stands, in pixels.

    Attributes:
        zoom: what a pixel of HR is on the sheet; one of LR is ``scale`` times as large.
        columns: pairs beside each other.
        texts: the lines beneath each pair, none wider than it.
        cells: left and top of each pair.
        size: width and height of the sheet.
    """

    zoom: int
    columns: int
    texts: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[int, int], ...]
    size: tuple[int, int]


def laid_out(said: Sequence[Sequence[str]], side: int) -> Layout:
    """Pairs of patches of ``side`` HR pixels, in rows, each with all that was said of it."""
    zoom = max(1, round(_TILE / side))
    width = 2 * side * zoom + _GAP // 2
    columns = max(1, min(len(said), (_WIDTH - _GAP) // (width + _GAP)))
    texts = tuple(_lines(one, width) for one in said)
    cells, top = [], _GAP
    for first in range(0, len(said), columns):
        row = texts[first : first + columns]
        cells += [(_GAP + at * (width + _GAP), top) for at in range(len(row))]
        top += side * zoom + _GAP // 2 + max(map(len, row)) * _LINE + _GAP
    return Layout(zoom, columns, texts, tuple(cells), (_GAP + columns * (width + _GAP), top))


def drawn(batch: Batch, said: Sequence[Sequence[str]], scale: int) -> Image.Image:
    """The sheet.

    Args:
        batch: the patches.
        said: what was drawn for each.
        scale: upscaling factor.
    """
    lr, hr = (part.permute(0, 2, 3, 1).numpy() for part in batch)
    side = hr.shape[1]
    layout = laid_out(said, side)
    sheet = Image.new("RGB", layout.size, "white")
    pen = ImageDraw.Draw(sheet)
    for (left, top), lines, large, small in zip(layout.cells, layout.texts, hr, lr, strict=True):
        right = left + side * layout.zoom + _GAP // 2
        sheet.paste(_enlarged(large, layout.zoom), (left, top))
        sheet.paste(_enlarged(small, layout.zoom * scale), (right, top))
        for number, line in enumerate(lines):
            place = (left, top + side * layout.zoom + _GAP // 2 + number * _LINE)
            pen.text(place, line, fill="black", font=_font())
    return sheet


def _enlarged(pixels: NDArray[np.uint8], factor: int) -> Image.Image:
    """By nearest neighbours."""
    return Image.fromarray(np.ascontiguousarray(pixels.repeat(factor, 0).repeat(factor, 1)))


def _lines(words: Sequence[str], width: int) -> tuple[str, ...]:
    """The words with commas, broken where there is no room."""
    lines: list[str] = []
    line = ""
    for word in words:
        longer = f"{line}, {word}" if line else word
        if line and _font().getlength(f"{longer},") > width:
            lines, longer = [*lines, f"{line},"], word
        line = longer
    return (*lines, line) if line else ()


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_FONT)
