"""The block without anything special: convolutions with activations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from torch import Tensor

from search_spaces.blocks.row import ConvRow, row_canonical, row_layers, row_widths
from search_spaces.blocks.widths import Widths
from search_spaces.convs import PLAIN, POINTWISE, ConvPart
from search_spaces.errors import InputError
from search_spaces.inner import Inner
from search_spaces.layer import Layer, Size
from search_spaces.part import Part

__all__ = ["PlainBlock"]


class PlainBlock(ConvRow):
    """Convolutions in a row, each followed by the activation, with the block's input added or not.

    One without a residual repeated is the trunk of VGG and so of Compact (SRVGGNetCompact, Wang et
    al., ICCVW 2021) and ECBSR (Zhang et al., ACM MM 2021); four with a residual are the block of
    DISP (NTIRE 2026); one with the input added before its activation is SESR's (Bhardwaj et al.,
    MLSys 2022).

    Args:
        channels: width C of input and output.
        activation: the activation.
        convolutions: how many.
        residual: how the block's input joins: ``"none"``, ``"output"`` (added at the end) or
            ``"before"`` (added before the last activation).
        last_activation: the activation follows the last convolution, too.
        convolution: the kind of the convolutions.
        pointwise_ends: the first and the last one are plain 1x1, as in FSRCNN (Dong et al., ECCV
            2016), whose inner width is a quarter.
        inner: widths between them (one number: all alike), C unless said.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        convolutions: Annotated[int, Ge(1), Le(16)] = 1,
        residual: Literal["none", "output", "before"] = "none",
        last_activation: bool = True,
        convolution: ConvPart = PLAIN,
        pointwise_ends: bool = False,
        inner: Widths = None,
    ) -> None:
        kinds = _kinds(convolutions, convolution, pointwise_ends)
        super().__init__(
            channels, activation, convolutions, kinds, inner, last_activation=last_activation
        )
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        if self.residual != "before":
            y = self.passed(x)
            return y + x if self.residual == "output" else y
        last = len(self.convs) - 1
        out: Tensor = self.activations[last](self.convs[last](self.passed(x, stop=last)) + x)
        return out

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        convolutions: int = 1,
        residual: str = "none",
        last_activation: bool = True,
        convolution: Part = PLAIN,
        pointwise_ends: bool = False,
        inner: Widths = None,
    ) -> Iterator[Layer]:
        """The convolutions, and what their activations have learnt."""
        kinds = _kinds(convolutions, convolution, pointwise_ends)
        return row_layers(
            channels, activation, size, convolutions, kinds, inner, last_activation=last_activation
        )

    @staticmethod
    def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with the inner widths left out where they are C.

        Raises:
            InputError: widths of another number, a residual before an activation that is not
                there, or nothing between two ends.
        """
        if options["pointwise_ends"] and options["convolutions"] < 3:
            raise InputError("pointwise_ends: expected 3 convolutions or more, to have one between")
        if options["residual"] == "before" and not options["last_activation"]:
            raise InputError("residual: 'before' has no effect without last_activation: say output")
        return row_canonical(channels, options, options["convolutions"])

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        """Those between the convolutions, and what these have inside."""
        return row_widths(channels, options, options["convolutions"])


def _kinds(count: int, convolution: Part, pointwise_ends: bool) -> list[Part]:
    if not pointwise_ends:
        return [convolution] * count
    return [POINTWISE, *[convolution] * (count - 2), POINTWISE]
