"""Enhanced spatial attention, in its first form and in RLFN's lighter one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.inner import Inner, free
from search_spaces.layer import Layer, Size, conv

__all__ = ["ESA", "LEAST_SIDE_PX", "ESALite", "continued"]

LEAST_SIDE_PX = 15
"""Smaller maps are padded up to this: a stride-2 convolution without padding leaves
(15 - 3) // 2 + 1 = 7 pixels, and the pooling window is 7 wide."""


# In words that torch.jit.script and a plain file know: exports write out this very function.
def continued(x: torch.Tensor, least: int) -> torch.Tensor:
    """Continues a map by its border pixels to `least` pixels a side, where it has fewer."""
    below, right = max(0, least - x.shape[-2]), max(0, least - x.shape[-1])
    if below > 0 or right > 0:
        return F.pad(x, (0, right, 0, below), mode="replicate")
    return x


class ESALite(nn.Module):
    """ESA of RLFN (Kong et al., CVPRW 2022): one convolution after pooling, no activation.

    ``width`` is f. Sides below 15 px, on which the published code fails, are padded with
    their border pixels; from 15 px up the numbers are the published ones.
    """

    reads = "reduce"

    def __init__(self, channels: int, *, width: Annotated[int, Ge(1)] = 16) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, width, 1)
        self.shortcut = nn.Conv2d(width, width, 1)
        self.stride = nn.Conv2d(width, width, 3, stride=2)
        self.refine = nn.Conv2d(width, width, 3, padding=1)
        self.expand = nn.Conv2d(width, channels, 1)

    def pooled(self, x: Tensor) -> Tensor:
        """The coarse map on which the attention is computed."""
        strided = self.stride(continued(x, LEAST_SIDE_PX))
        return F.max_pool2d(strided, kernel_size=7, stride=3)

    def coarse(self, x: Tensor) -> Tensor:
        """The attention at coarse resolution."""
        out: Tensor = self.refine(self.pooled(x))
        return out

    @staticmethod
    def stretched(coarse: Tensor, size: torch.Size) -> Tensor:
        """The coarse map enlarged to (height, width); another where an image comes in tiles."""
        return F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        reduced = self.reduce(x)
        coarse = self.stretched(self.coarse(reduced), x.shape[-2:])
        out: Tensor = x * self.expand(coarse + self.shortcut(reduced)).sigmoid()
        return out

    @staticmethod
    def layers(channels: int, size: Size, *, width: int = 16) -> Iterator[Layer]:
        """Five convolutions, two of them on the coarse maps."""
        strided, pooled = _coarse_sizes(size)
        yield conv("reduce", channels, width, 1, size)
        yield conv("shortcut", width, width, 1, size)
        yield conv("stride", width, width, 3, strided)
        yield conv("refine", width, width, 3, pooled)
        yield conv("expand", width, channels, 1, size)

    @staticmethod
    def widths(options: Mapping[str, Any]) -> Iterator[Inner]:
        """The reduced one."""
        return free("width", options["width"])


class ESA(ESALite):
    """ESA of RFANet (Liu et al., CVPR 2020) as RFDN uses it: three convolutions after pooling.

    ``width`` is f; ``slope`` the negative slope of the two inner activations (0: ReLU as
    published; MRDN has 0.01).
    """

    def __init__(
        self,
        channels: int,
        *,
        width: Annotated[int, Ge(1)],
        slope: Annotated[float, Ge(0), Lt(1)] = 0.0,
    ) -> None:
        super().__init__(channels, width=width)
        self.slope = slope
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def coarse(self, x: Tensor) -> Tensor:
        """The attention at coarse resolution."""
        y = F.leaky_relu(self.first(self.pooled(x)), self.slope)
        out: Tensor = self.refine(F.leaky_relu(self.second(y), self.slope))
        return out

    @staticmethod
    def layers(
        channels: int, size: Size, *, width: int = 16, slope: float = 0.0
    ) -> Iterator[Layer]:
        """Seven convolutions, four of them on the coarse maps."""
        yield from ESALite.layers(channels, size, width=width)
        _, pooled = _coarse_sizes(size)
        yield conv("first", width, width, 3, pooled)
        yield conv("second", width, width, 3, pooled)


def _coarse_sizes(size: Size) -> tuple[Size, Size]:
    height, width = (max(side, LEAST_SIDE_PX) for side in size)
    strided = ((height - 3) // 2 + 1, (width - 3) // 2 + 1)
    return strided, ((strided[0] - 7) // 3 + 1, (strided[1] - 7) // 3 + 1)
