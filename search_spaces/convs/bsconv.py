"""Blueprint separable convolution."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv

__all__ = ["BSConv"]


class BSConv(nn.Module):
    """A 1x1 convolution, then a depthwise 3x3: in*out + 11*out parameters.

    BSConv-U of Haase and Amthor, "Rethinking Depthwise Separable Convolutions" (CVPR
    2020), as BSRN uses it (bias in the depthwise part and in the 1x1).
    """

    reads = "pointwise"

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.pointwise = nn.Conv2d(channels_in, channels_out, 1)
        self.depthwise = nn.Conv2d(channels_out, channels_out, 3, padding=1, groups=channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        out: Tensor = self.depthwise(self.pointwise(x))
        return out

    @staticmethod
    def layers(channels_in: int, channels_out: int, size: Size) -> Iterator[Layer]:
        """The 1x1 and the depthwise 3x3."""
        yield conv("pointwise", channels_in, channels_out, 1, size)
        yield conv("depthwise", channels_out, channels_out, 3, size, groups=channels_out)
