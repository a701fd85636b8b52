"""Sub-pixel convolution."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer, Size, conv

__all__ = ["PixelShuffle"]


class PixelShuffle(nn.Module):
    """3x3 convolution to colors * scale^2 channels, rearranged to the large image.

    ESPCN (Shi et al., CVPR 2016).
    """

    def __init__(self, channels: int, colors: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(channels, colors * scale**2, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) to (N, colors, h * scale, w * scale)."""
        return F.pixel_shuffle(self.conv(features), self.scale)

    @staticmethod
    def layers(channels: int, colors: int, scale: int, size: Size) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", channels, colors * scale**2, 3, size)
