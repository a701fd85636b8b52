"""Asymmetric convolution: 3x3, 1x3 and 3x1 in parallel, folding into one 3x3."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.convs.collapsed import CollapsedConv
from search_spaces.layer import Layer, Size, conv, scalars

__all__ = ["AsymmetricConv"]


class AsymmetricConv(CollapsedConv):
    """A biased 3x3 beside bias-free 1x3 and 3x1 convolutions, summed.

    Asymmetric convolution block (ACNet, Ding et al., ICCV 2019, without batch
    normalisation), in our reading of LMSWN's multi-stage residual distillation block.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.square = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.row = nn.Conv2d(channels_in, channels_out, (1, 3), padding=(0, 1), bias=False)
        self.column = nn.Conv2d(channels_in, channels_out, (3, 1), padding=(1, 0), bias=False)

    def kernel(self) -> tuple[Tensor, Tensor | None]:
        """Row and column lie across the middle of the 3x3."""
        row = F.pad(self.row.weight, (0, 0, 1, 1))
        column = F.pad(self.column.weight, (1, 1, 0, 0))
        return self.square.weight + row + column, self.square.bias

    @staticmethod
    def layers(channels_in: int, channels_out: int, size: Size) -> Iterator[Layer]:
        """One convolution, and the weights of the other branches."""
        yield conv("square", channels_in, channels_out, 3, size)
        yield scalars("row", 3 * channels_in * channels_out)
        yield scalars("column", 3 * channels_in * channels_out)
