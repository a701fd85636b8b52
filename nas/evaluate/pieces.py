"""Pieces of a photo that show how networks differ: where they lie, and what each is worth there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nas.evaluate.quality import luma

__all__ = ["Piece", "differing", "heaviest"]

Pixels = npt.NDArray[np.uint8]
_Plane = npt.NDArray[np.float64]


class Piece(NamedTuple):
    """A rectangle of a photo, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def of(self, pixels: Pixels) -> Pixels:
        """What of the photo lies in it, as a view."""
        return pixels[self.top : self.top + self.height, self.left : self.left + self.width]


def heaviest(weights: _Plane, width: int, height: int) -> Piece:
    """The piece of that size whose (H, W) weights sum up to the most; the first of equals."""
    height, width = min(height, weights.shape[0]), min(width, weights.shape[1])
    sums = np.pad(weights.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    across = sums[:, width:] - sums[:, :-width]
    windows = across[height:] - across[:-height]
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    return Piece(int(left), int(top), width, height)


def differing(images: Sequence[Pixels], width: int, height: int) -> Piece:
    """The piece on which renderings of one photo, at least two, differ most in luma.

    With the original among them, that is where they err most.
    """
    total, squares = np.zeros(images[0].shape[:2]), np.zeros(images[0].shape[:2])
    for image in images:
        plane = luma(image)
        total += plane
        squares += np.square(plane)
    return heaviest(squares - np.square(total) / len(images), width, height)
