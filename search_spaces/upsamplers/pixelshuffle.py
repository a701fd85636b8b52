"""Sub-pixel convolution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.layer import Layer, Size, conv, placed
from search_spaces.part import Part
from search_spaces.shuffle import shuffled

__all__ = ["PixelShuffle", "Shuffled"]


class Shuffled(nn.Module):
    """An upsampler that ends in a pixel shuffle: what it makes before it are `squares`."""

    scale: int

    def squares(self, features: Tensor, image: Tensor) -> Tensor:
        """(N, colors * scale^2, h, w): of every pixel the square of pixels that it becomes."""
        raise NotImplementedError

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        """(N, C, h, w) and (N, colors, h, w) to (N, colors, h * scale, w * scale)."""
        return shuffled(self.squares(features, image), self.scale)


class PixelShuffle(Shuffled):
    """Convolution to colors * scale^2 channels, rearranged to the large image.

    ESPCN (Shi et al., CVPR 2016).

    Args:
        channels: width C.
        colors: of the image.
        scale: how many times as large.
        activation: the activation.
        kernel: side of the last convolution in pixels; 5 as in SESR.
        inner: width of a 3x3 convolution with the activation before it; None for none. ABPN
            has one of 27.
        bias: the last convolution has one.
    """

    def __init__(
        self,
        channels: int,
        colors: int,
        scale: int,
        activation: Part,
        *,
        kernel: Literal[3, 5] = 3,
        inner: Annotated[int, Ge(1)] | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.first: nn.Module = nn.Identity()
        self.activation: nn.Module = nn.Identity()
        if inner is not None:
            self.first = nn.Conv2d(channels, inner, 3, padding=1)
            self.activation = ACTIVATIONS.make(activation, inner)
        squares = colors * scale**2
        self.conv = nn.Conv2d(inner or channels, squares, kernel, padding=kernel // 2, bias=bias)

    def squares(self, features: Tensor, image: Tensor) -> Tensor:
        """(N, C, h, w) to (N, colors * scale^2, h, w)."""
        out: Tensor = self.conv(self.activation(self.first(features)))
        return out

    @staticmethod
    def layers(
        channels: int,
        colors: int,
        scale: int,
        activation: Part,
        size: Size,
        *,
        kernel: int = 3,
        inner: int | None = None,
        bias: bool = True,
    ) -> Iterator[Layer]:
        """The convolution, and the one before it."""
        if inner is not None:
            yield conv("first", channels, inner, 3, size)
            yield from placed("activation", ACTIVATIONS.layers(activation, inner))
        yield conv("conv", inner or channels, colors * scale**2, kernel, size, bias=bias)
