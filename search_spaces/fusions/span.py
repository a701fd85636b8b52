"""SPAN's fusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["SpanFusion"]


class SpanFusion(nn.Module):
    """Stem, convolved last block, first block and last but one, concatenated into a 1x1.

    SPAN (Wan et al., CVPRW 2024). Where the published network takes a value from inside
    its last block, ours takes the output of the block before: equal widths, equal cost.
    """

    def __init__(self, channels: int, blocks: int, activation: Part) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.fuse = nn.Conv2d(4 * channels, channels, 1)

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """(N, C, h, w) from the stem and each block to (N, C, h, w)."""
        last_but_one = outputs[-2] if len(outputs) > 1 else stem
        parts = [stem, self.conv(outputs[-1]), outputs[0], last_but_one]
        fused: Tensor = self.fuse(torch.cat(parts, dim=1))
        return fused

    @staticmethod
    def layers(channels: int, blocks: int, size: Size) -> Iterator[Layer]:
        """The 3x3 and the 1x1."""
        yield conv("conv", channels, channels, 3, size)
        yield conv("fuse", 4 * channels, channels, 1, size)
