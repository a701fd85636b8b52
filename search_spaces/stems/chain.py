"""Stems of one convolution or a few in a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from annotated_types import Ge, Le
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.convs import CONVS, PLAIN, ConvPart
from search_spaces.layer import Layer, Size, conv, placed
from search_spaces.part import Part

__all__ = ["ChainStem", "ConvStem"]


class ConvStem(nn.Module):
    """One convolution, as in IMDN and RFDN.

    Args:
        colors: of the image.
        channels: width C.
        activation: the activation.
        kernel: side in pixels; 5 as in FSRCNN and SESR.
        activated: the activation follows, as in ECBSR.
        bias: the convolution has one.
    """

    def __init__(
        self,
        colors: int,
        channels: int,
        activation: Part,
        *,
        kernel: Literal[3, 5] = 3,
        activated: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(colors, channels, kernel, padding=kernel // 2, bias=bias)
        self.activation = ACTIVATIONS.make(activation, channels) if activated else nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, C, h, w)."""
        out: Tensor = self.activation(self.conv(image))
        return out

    @staticmethod
    def layers(
        colors: int,
        channels: int,
        activation: Part,
        size: Size,
        *,
        kernel: int = 3,
        activated: bool = False,
        bias: bool = True,
    ) -> Iterator[Layer]:
        """The one convolution, and what its activation has learnt."""
        yield conv("conv", colors, channels, kernel, size, bias=bias)
        if activated:
            yield from placed("activation", ACTIVATIONS.layers(activation, channels))


class ChainStem(nn.Module):
    """Convolutions in a row, each followed by the activation.

    Two of them are IDN's; three without biases are the first block of SPANV2, which takes the
    image itself.

    Args:
        colors: of the image.
        channels: width C.
        activation: the activation.
        convolutions: how many.
        convolution: their kind.
    """

    def __init__(
        self,
        colors: int,
        channels: int,
        activation: Part,
        *,
        convolutions: Annotated[int, Ge(2), Le(8)] = 2,
        convolution: ConvPart = PLAIN,
    ) -> None:
        super().__init__()
        inputs = (colors, *[channels] * (convolutions - 1))
        self.convs = nn.ModuleList(CONVS.make(convolution, i, channels) for i in inputs)
        self.activations = nn.ModuleList(ACTIVATIONS.make(activation, channels) for _ in inputs)

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, C, h, w)."""
        y = image
        for layer, activation in zip(self.convs, self.activations, strict=True):
            y = activation(layer(y))
        return y

    @staticmethod
    def layers(
        colors: int,
        channels: int,
        activation: Part,
        size: Size,
        *,
        convolutions: int = 2,
        convolution: Part = PLAIN,
    ) -> Iterator[Layer]:
        """The convolutions, and what their activations have learnt."""
        for k in range(convolutions):
            inputs = channels if k else colors
            yield from placed(f"conv{k + 1}", CONVS.layers(convolution, inputs, channels, size))
            yield from placed(f"activation{k + 1}", ACTIVATIONS.layers(activation, channels))
