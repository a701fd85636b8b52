"""Transposed convolution."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, deconv

__all__ = ["Deconv"]

_KERNEL = 17


class Deconv(nn.Module):
    """One 17x17 transposed convolution with stride ``scale``, as in IDN."""

    def __init__(self, channels: int, colors: int, scale: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(
            channels,
            colors,
            _KERNEL,
            stride=scale,
            padding=_KERNEL // 2,
            output_padding=scale - 1,
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) to (N, colors, h * scale, w * scale)."""
        out: Tensor = self.conv(features)
        return out

    @staticmethod
    def layers(channels: int, colors: int, scale: int, size: Size) -> Iterator[Layer]:
        """The one transposed convolution."""
        yield deconv("conv", channels, colors, _KERNEL, scale, size)
