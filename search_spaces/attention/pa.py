"""Pixel attention, and the plain 1x1 that stands in the same places."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv

__all__ = ["PA", "Pointwise"]


class Pointwise(nn.Module):
    """A 1x1 convolution without a gate, as on LMSWN's distilled branches."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        out: Tensor = self.conv(x)
        return out

    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", channels, channels, 1, size)


class PA(Pointwise):
    """Gates each value by the sigmoid of a 1x1 convolution (PAN, Zhao et al., ECCVW 2020)."""

    reads = "conv"

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        out: Tensor = x * self.conv(x).sigmoid()
        return out
