"""SPAN's last block, and what is gathered around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from search_spaces.blocks.spab import SPAB
from search_spaces.convs import CONVS, PLAIN, ConvPart
from search_spaces.layer import Layer, Size, conv, placed
from search_spaces.part import Part

__all__ = ["SpanFusion"]


class SpanFusion(nn.Module):
    """One more SPAB, whose insides are gathered with what came before.

    Stem, convolved last block, first block, and the value that the last block has after its first
    convolution and activation, concatenated into a 1x1: SPAN (Wan et al., CVPRW 2024), whose code
    activates in place. That value is no block's output, so the block is a part of the fusion.

    Args:
        channels: width C.
        blocks: number of blocks before it.
        activation: the activation.
        convolution: the kind of all 3x3 convolutions.
    """

    def __init__(
        self, channels: int, blocks: int, activation: Part, *, convolution: ConvPart = PLAIN
    ) -> None:
        super().__init__()
        self.block = SPAB(channels, activation, convolution=convolution)
        self.conv = CONVS.make(convolution, channels, channels)
        self.fuse = nn.Conv2d(4 * channels, channels, 1)

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """(N, C, h, w) from the stem and each block to (N, C, h, w)."""
        inside = self.block.begun(outputs[-1])
        last = self.block.ended(outputs[-1], inside)
        parts = [stem, self.conv(last), outputs[0], inside]
        fused: Tensor = self.fuse(torch.cat(parts, dim=1))
        return fused

    @staticmethod
    def layers(
        channels: int, blocks: int, activation: Part, size: Size, *, convolution: Part = PLAIN
    ) -> Iterator[Layer]:
        """The block's, a 3x3 and the 1x1."""
        block = SPAB.layers(channels, activation, size, convolution=convolution)
        yield from placed("block", block)
        yield from placed("conv", CONVS.layers(convolution, channels, channels, size))
        yield conv("fuse", 4 * channels, channels, 1, size)
