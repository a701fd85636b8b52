"""An image skip that is a small linear filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.exact import Exact
from search_spaces.layer import Layer, Size, conv
from search_spaces.shuffle import shuffled

__all__ = ["LinearSkip"]


class LinearSkip(Exact):
    """Each of the ``scale ** 2`` pixels that an LR pixel becomes, from the window around it.

    One filter a colour and a position, so that an LR window of ``kernel`` x ``kernel`` pixels gives
    a square of the large image: a convolution in groups of one colour, and a pixel shuffle. Fresh
    ones enlarge as bicubic interpolation does; a training that begins from photos fits them by
    least squares (``nas.training.first_weights``). Beyond the border the edge's pixels are
    repeated, as resizing does.

    Linear filters for enlarging are those of RAISR (Romano et al., IEEE TCI 2017) with one class of
    pixels; SPANV2 (NTIRE 2026) has one of 3x3 as a branch of its network.
    """

    def __init__(self, colors: int, scale: int, *, kernel: Literal[3, 5, 7, 9] = 5) -> None:
        super().__init__()
        self.colors, self.scale, self.kernel = colors, scale, kernel
        self.conv = nn.Conv2d(colors, colors * scale**2, kernel, groups=colors, bias=False)
        if not self.conv.weight.is_meta:
            self.set_filters(_cubic(scale, kernel))

    def set_filters(self, filters: Tensor) -> None:
        """The same filters for every colour, (scale ** 2, kernel, kernel), positions row by row."""
        with torch.no_grad():
            self.conv.weight.copy_(filters.unsqueeze(1).repeat(self.colors, 1, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, colors, h * scale, w * scale), in the image's precision."""
        around = F.pad(image, (self.kernel // 2,) * 4, mode="replicate")
        return shuffled(self.exactly(self.conv, around), self.scale)

    @staticmethod
    def layers(
        colors: int, scale: int, size: Size, *, kernel: Literal[3, 5, 7, 9] = 5
    ) -> Iterator[Layer]:
        """The one convolution."""
        yield conv("conv", colors, colors * scale**2, kernel, size, groups=colors, bias=False)


def _cubic(scale: int, kernel: int) -> Tensor:
    """The filters of bicubic interpolation (Keys 1981, a = -0.5), (scale ** 2, kernel, kernel).

    A window of three pixels does not hold its four taps: there they are bilinear.
    """
    # Of the pixels of the large image, in LR pixels from the middle of the window.
    at = (torch.arange(scale) + 0.5) / scale - 0.5
    away = (at[:, None] - (torch.arange(kernel) - kernel // 2)).abs()
    if kernel == 3:
        taps = (1 - away).clamp(min=0)
    else:
        near = (1.5 * away - 2.5) * away**2 + 1
        far = ((-0.5 * away + 2.5) * away - 4) * away + 2
        taps = torch.where(away <= 1, near, torch.where(away < 2, far, torch.zeros(())))
    return torch.einsum("yi,xj->yxij", taps, taps).reshape(scale**2, kernel, kernel)
