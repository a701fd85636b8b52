"""Asymmetric convolution: 3x3, 1x3 and 3x1 in parallel, folding into one 3x3."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer, Size, conv

__all__ = ["AsymmetricConv"]


class AsymmetricConv(nn.Module):
    """A biased 3x3 beside bias-free 1x3 and 3x1 convolutions, summed.

    Asymmetric convolution block (ACNet, Ding et al., ICCV 2019, without batch
    normalisation), in our reading of LMSWN's multi-stage residual distillation block.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.square = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.row = nn.Conv2d(channels_in, channels_out, (1, 3), padding=(0, 1), bias=False)
        self.column = nn.Conv2d(channels_in, channels_out, (3, 1), padding=(1, 0), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        out: Tensor = self.square(x) + self.row(x) + self.column(x)
        return out

    @torch.no_grad()
    def fold(self) -> tuple[Tensor, Tensor]:
        """Weight (out, in, 3, 3) and bias (out) of the one 3x3 with the same output."""
        row = F.pad(self.row.weight, (0, 0, 1, 1))
        column = F.pad(self.column.weight, (1, 1, 0, 0))
        assert self.square.bias is not None
        return self.square.weight + row + column, self.square.bias.clone()

    @staticmethod
    def layers(channels_in: int, channels_out: int, size: Size) -> Iterator[Layer]:
        """The branches of the training form."""
        yield conv("square", channels_in, channels_out, 3, size)
        yield conv("row", channels_in, channels_out, (1, 3), size, bias=False)
        yield conv("column", channels_in, channels_out, (3, 1), size, bias=False)
