"""SPAN's swift parameter-free attention block, and what SPANV2 made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from search_spaces.blocks.row import ConvRow, row_canonical, row_layers, row_widths
from search_spaces.blocks.widths import Widths
from search_spaces.convs import CONVS, PLAIN, ConvPart
from search_spaces.inner import Inner
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["SPAB", "SPABv2"]

_CONVS = 3
_UNBIASED = CONVS.parse({"kind": "plain", "bias": False})


class SPAB(ConvRow):
    """Three 3x3 convolutions with activations between, and a gate without parameters.

    out = (y + x) * (sigmoid(y) - 0.5), SPAN (Wan et al., CVPRW 2024): 27*C^2 + 3*C
    parameters with plain convolutions.

    Args:
        channels: width C of input and output.
        activation: the activation between the convolutions (SiLU in SPAN).
        convolution: the kind of the three convolutions.
        inner: widths between the convolutions (one number: both alike), C unless said.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        convolution: ConvPart = PLAIN,
        inner: Widths = None,
    ) -> None:
        super().__init__(channels, activation, _CONVS, convolution, inner)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        return self.ended(x, self.begun(x))

    def begun(self, x: Tensor) -> Tensor:
        """The value after the first convolution and activation, (N, first inner width, h, w)."""
        return self.passed(x, stop=1)

    def ended(self, x: Tensor, begun: Tensor) -> Tensor:
        """The block's output, from its input and what it has `begun`."""
        y = self.passed(begun, start=1)
        out: Tensor = (y + x) * (y.sigmoid() - 0.5)
        return out

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        convolution: Part = PLAIN,
        inner: Widths = None,
    ) -> Iterator[Layer]:
        """The three convolutions, and what the activations between have learnt."""
        return row_layers(channels, activation, size, _CONVS, convolution, inner)

    @staticmethod
    def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the inner widths left out where they are C.

        Raises:
            InputError: not one or two widths.
        """
        return row_canonical(channels, options, _CONVS)

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        """Those between the convolutions, and what these have inside."""
        return row_widths(channels, options, _CONVS)


class SPABv2(SPAB):
    """The same with a learned gate: out = (x + y) * g(y), g a 1x1 convolution.

    SPANV2 (NTIRE 2026): 28*C^2 + C parameters with plain convolutions without biases.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        convolution: ConvPart = _UNBIASED,
        inner: Widths = None,
    ) -> None:
        super().__init__(channels, activation, convolution=convolution, inner=inner)
        self.gate = nn.Conv2d(channels, channels, 1)

    def ended(self, x: Tensor, begun: Tensor) -> Tensor:
        """The block's output, from its input and what it has `begun`."""
        y = self.passed(begun, start=1)
        out: Tensor = (x + y) * self.gate(y)
        return out

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        convolution: Part = _UNBIASED,
        inner: Widths = None,
    ) -> Iterator[Layer]:
        """The three convolutions, what the activations between have learnt, and the gate."""
        yield from row_layers(channels, activation, size, _CONVS, convolution, inner)
        yield conv("gate", channels, channels, 1, size)
