"""Stems of one or two 3x3 convolutions."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["ConvStem", "DoubleConvStem"]


class ConvStem(nn.Module):
    """One 3x3 convolution without activation, as in IMDN and RFDN."""

    def __init__(self, colors: int, channels: int, activation: Part) -> None:
        super().__init__()
        self.conv = nn.Conv2d(colors, channels, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, C, h, w)."""
        out: Tensor = self.conv(image)
        return out

    @staticmethod
    def layers(colors: int, channels: int, size: Size) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", colors, channels, 3, size)


class DoubleConvStem(nn.Module):
    """Two 3x3 convolutions, each followed by the activation, as in IDN."""

    def __init__(self, colors: int, channels: int, activation: Part) -> None:
        super().__init__()
        self.first = nn.Conv2d(colors, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = ACTIVATIONS.make(activation)

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, C, h, w)."""
        out: Tensor = self.activation(self.second(self.activation(self.first(image))))
        return out

    @staticmethod
    def layers(colors: int, channels: int, size: Size) -> Iterator[Layer]:
        """The two convolutions."""
        yield conv("first", colors, channels, 3, size)
        yield conv("second", channels, channels, 3, size)
