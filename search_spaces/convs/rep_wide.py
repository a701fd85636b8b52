"""Re-parameterised 3x3 convolution that is wider inside while it is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.convs.collapsed import CollapsedConv
from search_spaces.layer import Layer, Size, conv

__all__ = ["WideRepConv"]


class WideRepConv(CollapsedConv):
    """A 1x1, a 3x3 and a 1x1 in a row, ``gain`` times as wide between, beside a 1x1 shortcut.

    Conv3XC of SPAN (Wan et al., CVPRW 2024) and SPANV2. The first 1x1 has no bias: at a border that
    is padded with zeros, what one adds there is in no kernel.

    Args:
        channels_in: input width.
        channels_out: output width.
        gain: how many times as wide the two inner values are.
        bias: the other three have one.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        gain: Annotated[int, Ge(1), Le(16)] = 2,
        bias: bool = True,
    ) -> None:
        super().__init__()
        inside, outside = gain * channels_in, gain * channels_out
        self.expand = nn.Conv2d(channels_in, inside, 1, bias=False)
        self.square = nn.Conv2d(inside, outside, 3, padding=1, bias=bias)
        self.reduce = nn.Conv2d(outside, channels_out, 1, bias=bias)
        self.point = nn.Conv2d(channels_in, channels_out, 1, bias=bias)

    def parallel(self) -> list[nn.Conv2d]:
        """The ends of both branches."""
        return [self.reduce, self.point]

    def kernel(self) -> tuple[Tensor, Tensor | None]:
        """The row's product, with the shortcut in the middle."""
        reduce, square = self.reduce.weight.flatten(1), self.square.weight
        # Inputs last, as the weights of a training lie in memory: nothing is copied.
        taps = square.permute(0, 2, 3, 1).flatten(0, 2) @ self.expand.weight.flatten(1)
        row = reduce @ taps.unflatten(0, (-1, 9)).flatten(1)
        row = row.unflatten(1, (3, 3, -1)).permute(0, 3, 1, 2)
        weight = row + F.pad(self.point.weight, (1, 1, 1, 1))
        if self.square.bias is None or self.reduce.bias is None or self.point.bias is None:
            return weight, None
        return weight, reduce @ self.square.bias + self.reduce.bias + self.point.bias

    @staticmethod
    def layers(
        channels_in: int, channels_out: int, size: Size, *, gain: int = 2, bias: bool = True
    ) -> Iterator[Layer]:
        """One convolution with the weights of all, and what making its kernel costs."""
        inside, outside = gain * channels_in, gain * channels_out
        expand, reduce = channels_in * inside, outside * channels_out
        weights = expand + 9 * inside * outside + reduce + channels_in * channels_out
        biases = outside + 2 * channels_out if bias else 0
        whole = conv("square", channels_in, channels_out, 3, size)
        yield whole._replace(params=weights + biases)
        macs = 9 * (expand * outside + reduce * channels_in)
        yield Layer("collapse", "product", inside, channels_out, (1, 1), 0, macs, 0)
