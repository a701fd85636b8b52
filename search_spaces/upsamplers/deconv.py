"""Transposed convolution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, deconv
from search_spaces.part import Part

__all__ = ["Deconv"]


class Deconv(nn.Module):
    """One transposed convolution with stride ``scale``.

    Args:
        channels: width C.
        colors: of the image.
        scale: how many times as large.
        activation: without effect.
        kernel: side in pixels of the large image; 17 as in IDN, 9 as in FSRCNN.
    """

    def __init__(
        self,
        channels: int,
        colors: int,
        scale: int,
        activation: Part,
        *,
        kernel: Literal[9, 17] = 17,
    ) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(
            channels,
            colors,
            kernel,
            stride=scale,
            padding=kernel // 2,
            output_padding=scale - 1,
        )

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        """(N, C, h, w) to (N, colors, h * scale, w * scale)."""
        out: Tensor = self.conv(features)
        return out

    @staticmethod
    def layers(
        channels: int, colors: int, scale: int, activation: Part, size: Size, *, kernel: int = 17
    ) -> Iterator[Layer]:
        """The one transposed convolution."""
        yield deconv("conv", channels, colors, kernel, scale, size)
