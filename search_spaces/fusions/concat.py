"""Fusion of the outputs of all blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.layer import Layer, Size, conv, placed
from search_spaces.part import Part

__all__ = ["ConcatFusion"]


class ConcatFusion(nn.Module):
    """Concatenation of all block outputs, 1x1, 3x3, and the stem's output added.

    RFDN (Liu et al., ECCVW 2020), eqs. 6-7.

    Args:
        channels: width C.
        blocks: number of blocks.
        activation: the activation.
        activated: it stands between the 1x1 and the 3x3.
    """

    def __init__(
        self, channels: int, blocks: int, activation: Part, *, activated: bool = True
    ) -> None:
        super().__init__()
        self.fuse = nn.Conv2d(blocks * channels, channels, 1)
        self.activation = ACTIVATIONS.make(activation, channels) if activated else nn.Identity()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """(N, C, h, w) from the stem and each block to (N, C, h, w)."""
        out: Tensor = self.conv(self.activation(self.fuse(torch.cat(list(outputs), dim=1)))) + stem
        return out

    @staticmethod
    def layers(
        channels: int, blocks: int, activation: Part, size: Size, *, activated: bool = True
    ) -> Iterator[Layer]:
        """The 1x1, the activation's slopes and the 3x3."""
        yield conv("fuse", blocks * channels, channels, 1, size)
        if activated:
            yield from placed("activation", ACTIVATIONS.layers(activation, channels))
        yield conv("conv", channels, channels, 3, size)
