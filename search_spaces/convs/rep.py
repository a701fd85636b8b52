"""Re-parameterised 3x3 convolution: parallel branches in training, one in use."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer, Size, conv

__all__ = ["RepConv"]


class RepConv(nn.Module):
    """A 3x3 and a 1x1 convolution in parallel, and the identity where widths are equal.

    All three are linear, so they fold into one 3x3 (RepVGG, Ding et al., CVPR 2021,
    without its batch normalisation, which SR networks do not use).
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.square = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.point = nn.Conv2d(channels_in, channels_out, 1)
        self.identity = channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        y = self.square(x) + self.point(x)
        out: Tensor = y + x if self.identity else y
        return out

    @torch.no_grad()
    def fold(self) -> tuple[Tensor, Tensor]:
        """Weight (out, in, 3, 3) and bias (out) of the one 3x3 with the same output."""
        weight = self.square.weight + F.pad(self.point.weight, (1, 1, 1, 1))
        if self.identity:
            diagonal = torch.arange(weight.shape[0])
            weight[diagonal, diagonal, 1, 1] += 1
        assert self.square.bias is not None
        assert self.point.bias is not None
        return weight, self.square.bias + self.point.bias

    @staticmethod
    def layers(channels_in: int, channels_out: int, size: Size) -> Iterator[Layer]:
        """The branches of the training form."""
        yield conv("square", channels_in, channels_out, 3, size)
        yield conv("point", channels_in, channels_out, 1, size)
