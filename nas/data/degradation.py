"""The field's degradation: MATLAB's antialiased bicubic ``imresize`` on uint8, to the bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search_spaces.errors import InputError

__all__ = ["bicubic_down", "bicubic_up", "mod_crop"]

Pixels = NDArray[np.uint8]

# Output pixels computed beyond each edge and cropped again: the cubic kernel reaches 2 pixels of
# the coarser grid to each side, so 4 keep Pillow's own treatment of borders out of the result.
_MARGIN = 4


def mod_crop(pixels: Pixels, scale: int) -> Pixels:
    """The top left part of the photo whose height and width are multiples of ``scale``.

    Args:
        pixels: uint8, shape (height, width) or (height, width, channels).
        scale: integer factor, at least 1.

    Returns:
        A view of ``pixels``.

    Raises:
        InputError: a side is shorter than ``scale``, so that nothing would be left.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < scale:
        raise InputError(
            f"a photo for x{scale} needs at least {scale} x {scale} pixels, got {height} x {width}"
            " (height x width); leave it out"
        )
    return pixels[: height - height % scale, : width - width % scale]


def bicubic_down(pixels: Pixels, scale: int) -> Pixels:
    """LR as MATLAB's ``imresize(photo, 1/scale, "bicubic")`` makes it.

    Cubic kernel with a = -0.5 (Keys, IEEE TASSP 1981) widened by ``scale`` against aliasing,
    symmetric edges, rows first, rounded and clipped to uint8 after each of the two passes.

    Args:
        pixels: uint8, shape (height, width) or (height, width, 3), any size from 1 x 1.
        scale: integer factor, at least 1.

    Returns:
        uint8, shape (ceil(height / scale), ceil(width / scale)[, 3]), contiguous.
    """
    height, width = pixels.shape[:2]
    rows, columns = -(-height // scale), -(-width // scale)
    margin = _MARGIN * scale
    # Sides that are no multiple get a longer margin at the end, which keeps the factor exact.
    below, right = rows * scale - height, columns * scale - width
    return _resize(_extend(pixels, margin, below, right), rows, columns, crop=_MARGIN)


def bicubic_up(pixels: Pixels, scale: int) -> Pixels:
    """The bicubic baseline as MATLAB's ``imresize(photo, scale, "bicubic")`` makes it.

    The same kernel, edges and rounding as :func:`bicubic_down`, not widened.

    Args:
        pixels: uint8, shape (height, width) or (height, width, 3), any size from 1 x 1.
        scale: integer factor, at least 1.

    Returns:
        uint8, shape (height * scale, width * scale[, 3]), contiguous.
    """
    height, width = pixels.shape[:2]
    padded = _extend(pixels, _MARGIN)
    return _resize(padded, height * scale, width * scale, crop=_MARGIN * scale)


def _extend(pixels: Pixels, margin: int, below: int = 0, right: int = 0) -> Pixels:
    """Symmetric continuation (edge pixel repeated), over several periods on tiny photos."""
    sides = [(margin, margin + below), (margin, margin + right), (0, 0)]
    return np.pad(pixels, sides[: pixels.ndim], mode="symmetric")


def _resize(padded: Pixels, rows: int, columns: int, *, crop: int) -> Pixels:
    """Resize height then width, then take ``crop`` pixels off every side."""
    image = Image.fromarray(padded)
    # Two calls, because Pillow's own two-pass resize does the width first.
    image = image.resize((image.width, rows + 2 * crop), Image.Resampling.BICUBIC)
    image = image.resize((columns + 2 * crop, rows + 2 * crop), Image.Resampling.BICUBIC)
    resized = np.asarray(image)[crop : crop + rows, crop : crop + columns]
    return np.array(resized, np.uint8)
