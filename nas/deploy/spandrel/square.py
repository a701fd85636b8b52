"""A convolution of ours as the 3x3 one, as wide as wanted, that spandrel's networks have."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.convs.plain import PlainConv
from search_spaces.errors import NotPossible

__all__ = ["Square", "square"]


@dataclass(frozen=True, slots=True)
class Square:
    """The weight (out, in, 3, 3) and the bias (out,) of a zero-padded 3x3 convolution."""

    weight: Tensor
    bias: Tensor

    def widened(self, channels_in: int, channels_out: int) -> Square:
        """With channels added that are 0, or that nothing reads: the same output otherwise."""
        more_out = channels_out - self.weight.shape[0]
        more_in = channels_in - self.weight.shape[1]
        return Square(
            F.pad(self.weight, (0, 0, 0, 0, 0, more_in, 0, more_out)),
            F.pad(self.bias, (0, more_out)),
        )

    def scaled(self, factor: float) -> Square:
        """Of an input ``factor`` times as large."""
        return Square(self.weight * factor, self.bias)


def square(module: nn.Module) -> Square:
    """The one that gives what ``module`` gives; a 1x1 is the middle of a 3x3.

    Raises:
        NotPossible: it is no single convolution, or sees more than 3x3 pixels.
    """
    conv = module.conv if isinstance(module, PlainConv) else module
    if not isinstance(conv, nn.Conv2d) or conv.groups != 1:
        raise NotPossible(f"{type(module).__name__} is no plain convolution")
    side = conv.kernel_size[0]
    if conv.kernel_size not in ((1, 1), (3, 3)):
        raise NotPossible(f"a convolution is {side}x{side}, expected 3x3")
    weight = conv.weight.detach()
    weight = F.pad(weight, (1, 1, 1, 1)) if side == 1 else weight
    bias = weight.new_zeros(weight.shape[0]) if conv.bias is None else conv.bias.detach()
    return Square(weight.to("cpu", torch.float32), bias.to("cpu", torch.float32))
