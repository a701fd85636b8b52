"""How an image is cut into overlapping tiles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from search_spaces.errors import InputError

__all__ = ["ALIGN_PX", "LEAST_TILE_PX", "Span", "Tiling", "equal_spans", "spans"]

ALIGN_PX = 6
"""Tiles begin at multiples of this: ESA's coarse map has one value for every 6 pixels."""

LEAST_TILE_PX = 32


@dataclass(frozen=True, slots=True)
class Span:
    """One tile's part of a side, in LR pixels, ends exclusive.

    The network sees ``outer``; what it makes of ``inner`` is kept. The inner spans of a side
    follow each other without gap or overlap.
    """

    inner: tuple[int, int]
    outer: tuple[int, int]

    @property
    def kept(self) -> tuple[int, int]:
        """The inner span, counted from the beginning of the outer."""
        return self.inner[0] - self.outer[0], self.inner[1] - self.outer[0]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How an image is cut: tile and overlap in LR pixels; ``tile`` is 0 for the image at once.

    Of a file for images of one size it is the longer side.
    """

    tile: int
    overlap: int

    def cut(
        self, size: tuple[int, int], only: tuple[int, int] | None = None
    ) -> tuple[tuple[Span, ...], ...]:
        """The tiles of both sides of an image.

        Args:
            size: its height and width.
            only: those that a tile has to have, if it has.
        """
        if only is not None:
            pairs = zip(size, only, strict=True)
            return tuple(equal_spans(length, side, self.overlap) for length, side in pairs)
        tile = self.tile or max(*size, LEAST_TILE_PX)
        return tuple(spans(length, tile, self.overlap) for length in size)


def spans(length: int, tile: int, overlap: int) -> tuple[Span, ...]:
    """The tiles of one side.

    Args:
        length: of the side, in pixels.
        tile: most pixels of an inner span; a side no longer than it is one span.
        overlap: least pixels that an outer span has beyond the inner one, where the image has
            them; up to ``ALIGN_PX - 1`` more on the near side.

    Raises:
        InputError: ``tile`` below ``LEAST_TILE_PX`` or ``overlap`` below 0.
    """
    if tile < LEAST_TILE_PX:
        raise InputError(f"a tile needs {LEAST_TILE_PX} pixels or more, got {tile}")
    if overlap < 0:
        raise InputError(f"overlap: expected 0 pixels or more, got {overlap}")
    count = -(-length // tile)
    # Equal parts: a last tile of two pixels would cost nearly as much as a whole one.
    edges = [length * k // count for k in range(count + 1)]
    found = []
    for begin, end in pairwise(edges):
        first = max(0, begin - overlap) // ALIGN_PX * ALIGN_PX
        found.append(Span((begin, end), (first, min(length, end + overlap))))
    return tuple(found)


def equal_spans(length: int, side: int, overlap: int) -> tuple[Span, ...]:
    """The tiles of one side where every outer span is to have ``side`` pixels, no more, no less.

    The last pixels of the one of a shorter side lie beyond the image.

    Args:
        length: of the side, in pixels.
        side: of a tile.
        overlap: least pixels that an outer span has beyond the inner one, where the image has them.

    Raises:
        InputError: an ``overlap`` below 0, or one that leaves nothing of a tile.
    """
    if not 0 <= 2 * overlap < side:
        raise InputError(
            f"overlap: expected 0 to {(side - 1) // 2} pixels with tiles of {side}, got {overlap}"
        )
    if length <= side:
        return (Span((0, length), (0, side)),)
    count = -(-(length - 2 * overlap) // (side - 2 * overlap))
    begins = [(length - side) * k // (count - 1) for k in range(count)]
    middles = [(after + before + side) // 2 for before, after in pairwise(begins)]
    inner = pairwise([0, *middles, length])
    return tuple(
        Span(kept, (begin, begin + side)) for kept, begin in zip(inner, begins, strict=True)
    )
