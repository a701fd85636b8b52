"""Re-parameterised 3x3 convolution: parallel branches in training, one in use."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.convs.collapsed import CollapsedConv
from search_spaces.layer import Layer, Size, conv, scalars

__all__ = ["RepConv"]


class RepConv(CollapsedConv):
    """A 3x3 and a 1x1 convolution in parallel, and the identity where widths are equal.

    RepVGG (Ding et al., CVPR 2021), without its batch normalisation, which SR networks do not use.

    Args:
        channels_in: input width.
        channels_out: output width.
        bias: both have one.
    """

    def __init__(self, channels_in: int, channels_out: int, *, bias: bool = True) -> None:
        super().__init__()
        self.square = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias)
        self.point = nn.Conv2d(channels_in, channels_out, 1, bias=bias)
        self.identity = channels_in == channels_out

    def kernel(self) -> tuple[Tensor, Tensor | None]:
        """The 1x1 and the identity are taps in the middle of the 3x3."""
        middle = self.point.weight
        if self.identity:
            ones = torch.ones_like(middle[:, 0, 0, 0])
            middle = middle + torch.diag(ones).unsqueeze(-1).unsqueeze(-1)
        weight = self.square.weight + F.pad(middle, (1, 1, 1, 1))
        if self.square.bias is None or self.point.bias is None:
            return weight, None
        return weight, self.square.bias + self.point.bias

    @staticmethod
    def layers(
        channels_in: int, channels_out: int, size: Size, *, bias: bool = True
    ) -> Iterator[Layer]:
        """One convolution, and the weights of the other branch."""
        yield conv("square", channels_in, channels_out, 3, size, bias=bias)
        yield scalars("point", (channels_in + bias) * channels_out)
