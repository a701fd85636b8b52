"""Efficient pixel attention."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer, Size, conv

__all__ = ["EPA"]


class EPA(nn.Module):
    """Two bias-free 1x1 convolutions with LeakyReLU 0.01 between, a sigmoid, a product.

    MRDN (Yang et al., Expert Systems with Applications, 2022).
    """

    reads = "first"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 1, bias=False)
        self.second = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        out: Tensor = x * self.second(F.leaky_relu(self.first(x), 0.01)).sigmoid()
        return out

    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        """The two 1x1 convolutions."""
        yield conv("first", channels, channels, 1, size, bias=False)
        yield conv("second", channels, channels, 1, size, bias=False)
