"""SPAN's swift parameter-free attention block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.blocks.widths import Widths, collapsed, spread
from search_spaces.convs import CONVS, ConvPart
from search_spaces.inner import Inner, free, within
from search_spaces.layer import Layer, Size
from search_spaces.part import Part

__all__ = ["SPAB"]

_PLAIN = Part("plain", (("kernel", 3),))


class SPAB(nn.Module):
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
        convolution: ConvPart = _PLAIN,
        inner: Widths = None,
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            CONVS.make(convolution, i, o) for i, o in _stages(channels, inner)
        )
        self.activation = ACTIVATIONS.make(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        first, second, third = self.convs
        y = third(self.activation(second(self.activation(first(x)))))
        out: Tensor = (y + x) * (y.sigmoid() - 0.5)
        return out

    @staticmethod
    def layers(
        channels: int, size: Size, *, convolution: Part = _PLAIN, inner: Widths = None
    ) -> Iterator[Layer]:
        """The three convolutions."""
        for k, (i, o) in enumerate(_stages(channels, inner)):
            for layer in CONVS.layers(convolution, i, o, size):
                yield layer._replace(name=f"stage{k + 1}.{layer.name}")

    @staticmethod
    def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the inner widths left out where they are C.

        Raises:
            InputError: not one or two widths.
        """
        inner = collapsed(spread("inner", options["inner"], 2, channels))
        return {**options, "inner": None if inner == channels else inner}

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        """Those between the convolutions, and what these have inside."""
        yield from free("inner", spread("inner", options["inner"], 2, channels))
        yield from within("convolution", CONVS.widths(options["convolution"]))


def _stages(channels: int, inner: Widths) -> tuple[tuple[int, int], ...]:
    first, second = spread("inner", inner, 2, channels)
    return (channels, first), (first, second), (second, channels)
