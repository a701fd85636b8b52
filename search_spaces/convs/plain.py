"""The plain square convolution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv

__all__ = ["PlainConv"]


class PlainConv(nn.Module):
    """One biased, zero-padded convolution.

    Args:
        channels_in: input width.
        channels_out: output width.
        kernel: side in pixels, 1 or 3.
    """

    reads = "conv"

    def __init__(self, channels_in: int, channels_out: int, *, kernel: Literal[1, 3] = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        out: Tensor = self.conv(x)
        return out

    @staticmethod
    def layers(
        channels_in: int, channels_out: int, size: Size, *, kernel: int = 3
    ) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", channels_in, channels_out, kernel, size)
