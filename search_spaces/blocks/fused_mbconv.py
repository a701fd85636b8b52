"""Fused inverted bottlenecks: one wide convolution, and a 1x1 back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from annotated_types import Ge, Le
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.attention import ATTENTIONS, AttentionPart
from search_spaces.blocks.widths import Widths, collapsed, spread
from search_spaces.convs import CONVS, PLAIN, POINTWISE, ConvPart
from search_spaces.inner import Inner, free, within
from search_spaces.layer import Layer, Size, placed
from search_spaces.part import Part

__all__ = ["FusedMBConv"]


class FusedMBConv(nn.Module):
    """Stages y + project(activation(expand(y))), and an attention behind the last of them.

    The expansion and the depthwise convolution of an inverted bottleneck in one convolution
    (Fused-MBConv: Gupta & Tan 2019, EfficientNet-EdgeTPU), as SAFMN mixes channels (Sun et al.,
    ICCV 2023). For the price of two 3x3 convolutions of a distillation block, as many values are
    bent and every stage has a residual: 10*C*W + W + C parameters with plain convolutions.

    Args:
        channels: width C of input and output.
        activation: the activation between expansion and projection.
        stages: how many.
        expanded: width W of each between its two convolutions (one number: all alike), 2*C
            unless said.
        convolution: the kind of the expanding convolutions; the projecting ones are plain 1x1.
        attention: the block's attention.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        stages: Annotated[int, Ge(1), Le(16)] = 1,
        expanded: Widths = None,
        convolution: ConvPart = PLAIN,
        attention: AttentionPart | None = None,
    ) -> None:
        super().__init__()
        widths = _widths(channels, stages, expanded)
        self.expand = nn.ModuleList(CONVS.make(convolution, channels, w) for w in widths)
        self.activations = nn.ModuleList(ACTIVATIONS.make(activation, w) for w in widths)
        self.project = nn.ModuleList(CONVS.make(POINTWISE, w, channels) for w in widths)
        self.attention = (
            nn.Identity() if attention is None else ATTENTIONS.make(attention, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        stages = zip(self.expand, self.activations, self.project, strict=True)
        for expand, activation, project in stages:
            x = x + project(activation(expand(x)))
        out: Tensor = self.attention(x)
        return out

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        stages: int = 1,
        expanded: Widths = None,
        convolution: Part = PLAIN,
        attention: Part | None = None,
    ) -> Iterator[Layer]:
        """Two convolutions a stage, what the activations between have learnt, the attention."""
        for k, width in enumerate(_widths(channels, stages, expanded)):
            expand = CONVS.layers(convolution, channels, width, size)
            yield from placed(f"stage{k + 1}.expand", expand)
            yield from placed(f"stage{k + 1}.activation", ACTIVATIONS.layers(activation, width))
            project = CONVS.layers(POINTWISE, width, channels, size)
            yield from placed(f"stage{k + 1}.project", project)
        if attention is not None:
            yield from placed("attention", ATTENTIONS.layers(attention, channels, size))

    @staticmethod
    def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with equal widths as one number, left out where they are 2*C.

        Raises:
            InputError: a list of widths that is not one a stage.
        """
        expanded = collapsed(_widths(channels, options["stages"], options["expanded"]))
        return {**options, "expanded": None if expanded == 2 * channels else expanded}

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        """Those between, and what convolutions and attention have inside."""
        yield from free("expanded", _widths(channels, options["stages"], options["expanded"]))
        yield from within("convolution", CONVS.widths(options["convolution"]))
        if options["attention"] is not None:
            yield from within("attention", ATTENTIONS.widths(options["attention"]))


def _widths(channels: int, stages: int, expanded: Widths) -> tuple[int, ...]:
    return spread("expanded", expanded, stages, 2 * channels)
