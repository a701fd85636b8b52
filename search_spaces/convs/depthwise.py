"""Depthwise separable convolution with a choice of kernels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv

__all__ = ["DepthwiseConv"]


class DepthwiseConv(nn.Module):
    """A depthwise convolution, then a 1x1: in*out + k*k*in weights.

    MobileNet (Howard et al., arXiv 1704.04861), without anything between.

    Args:
        channels_in: input width.
        channels_out: output width.
        kernel: the depthwise one's side in pixels.
    """

    reads = "depthwise"

    def __init__(
        self, channels_in: int, channels_out: int, *, kernel: Literal[3, 5, 7] = 3
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            channels_in, channels_in, kernel, padding=kernel // 2, groups=channels_in
        )
        self.pointwise = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        out: Tensor = self.pointwise(self.depthwise(x))
        return out

    @staticmethod
    def layers(
        channels_in: int, channels_out: int, size: Size, *, kernel: int = 3
    ) -> Iterator[Layer]:
        """The depthwise one and the 1x1."""
        yield conv("depthwise", channels_in, channels_in, kernel, size, groups=channels_in)
        yield conv("pointwise", channels_in, channels_out, 1, size)
