"""Fusions that look at the last block alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["ChainFusion", "NoFusion"]


class ChainFusion(nn.Module):
    """A 3x3 convolution after the last block, and the stem's output added, as in RLFN."""

    def __init__(self, channels: int, blocks: int, activation: Part) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """(N, C, h, w) from the stem and each block to (N, C, h, w)."""
        out: Tensor = self.conv(outputs[-1]) + stem
        return out

    @staticmethod
    def layers(channels: int, blocks: int, size: Size) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", channels, channels, 3, size)


class NoFusion(nn.Module):
    """The last block's output as it is, as in IDN."""

    def __init__(self, channels: int, blocks: int, activation: Part) -> None:
        super().__init__()

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """The last of (N, C, h, w)."""
        return outputs[-1]

    @staticmethod
    def layers(channels: int, blocks: int, size: Size) -> Iterator[Layer]:
        """None."""
        return iter(())
