"""SPAN's swift parameter-free attention block, and what SPANV2 made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.blocks.row import ConvRow, row_canonical, row_layers, row_widths
from search_spaces.blocks.widths import Widths
from search_spaces.convs import CONVS, PLAIN, ConvPart
from search_spaces.inner import Inner
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["SPAB", "SPABv2"]

_CONVS = 3
_OPEN = 2.0
"""Of y's bias: at 1 and 3 SPAN has 0.05 dB less after 1,200 steps."""

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

    @torch.no_grad()
    def open_gates(self) -> None:
        """Fresh weights with which signals pass: the gate begins at 0.38, and not around 0.

        A gate around 0 makes a block's output a square of its input: in a row of them it fades,
        and steps that make it fade further leave nothing to learn from (five blocks of 28 channels
        end at 1e-4 of what they begin with; 0.2 dB less after 1,200 steps).
        """
        biases = [one.bias for one in self.convs[-1].modules() if isinstance(one, nn.Conv2d)]
        # Of branches the last one with a bias: they are summed.
        last = next((bias for bias in reversed(biases) if bias is not None), None)
        if last is not None:
            last.fill_(_OPEN)

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

    @torch.no_grad()
    def open_gates(self) -> None:
        """Fresh weights with which signals pass: the gate begins around 1, and not around 0."""
        assert self.gate.bias is not None
        self.gate.bias.fill_(1.0)

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
