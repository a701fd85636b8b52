"""The plain square convolution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv

__all__ = ["PlainConv"]


class PlainConv(nn.Module):
    """One zero-padded convolution.

    Args:
        channels_in: input width.
        channels_out: output width.
        kernel: side in pixels, 1, 3 or 5.
        bias: it has one.
    """

    reads = "conv"

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernel: Literal[1, 3, 5] = 3,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        out: Tensor = self.conv(x)
        return out

    @staticmethod
    def layers(
        channels_in: int, channels_out: int, size: Size, *, kernel: int = 3, bias: bool = True
    ) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", channels_in, channels_out, kernel, size, bias=bias)
