"""Fusions that look at the last block alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from torch import Tensor, nn

from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["ChainFusion", "NoFusion", "SumFusion"]


class ChainFusion(nn.Module):
    """A convolution after the last block, and the stem's output added, as in RLFN.

    Args:
        channels: width C.
        blocks: number of blocks.
        activation: without effect.
        kernel: the convolution's side in pixels; 1 as in DISP.
    """

    def __init__(
        self, channels: int, blocks: int, activation: Part, *, kernel: Literal[1, 3] = 3
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """(N, C, h, w) from the stem and each block to (N, C, h, w)."""
        out: Tensor = self.conv(outputs[-1]) + stem
        return out

    @staticmethod
    def layers(
        channels: int, blocks: int, activation: Part, size: Size, *, kernel: int = 3
    ) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", channels, channels, kernel, size)


class SumFusion(nn.Module):
    """The last block's output and the stem's, added, as in SESR."""

    def __init__(self, channels: int, blocks: int, activation: Part) -> None:
        super().__init__()

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """(N, C, h, w) from the stem and each block to (N, C, h, w)."""
        return outputs[-1] + stem

    @staticmethod
    def layers(channels: int, blocks: int, activation: Part, size: Size) -> Iterator[Layer]:
        """None."""
        return iter(())


class NoFusion(nn.Module):
    """The last block's output as it is, as in IDN; without blocks the stem's, as in ESPCN."""

    def __init__(self, channels: int, blocks: int, activation: Part) -> None:
        super().__init__()

    def forward(self, stem: Tensor, outputs: Sequence[Tensor]) -> Tensor:
        """The last of (N, C, h, w)."""
        return outputs[-1] if outputs else stem

    @staticmethod
    def layers(channels: int, blocks: int, activation: Part, size: Size) -> Iterator[Layer]:
        """None."""
        return iter(())
