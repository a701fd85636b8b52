"""From squares of pixels to the image."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

__all__ = ["shuffled"]


def shuffled(squares: Tensor, scale: int) -> Tensor:
    """(N, colors * scale^2, h, w) to (N, colors, h * scale, w * scale)."""
    # A square of one pixel is that pixel: exported files have nothing there either.
    return squares if scale == 1 else F.pixel_shuffle(squares, scale)
