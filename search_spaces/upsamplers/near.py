"""SPANV2's end: features beside the enlarged image."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from search_spaces.exact import Exact
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part
from search_spaces.upsamplers.pixelshuffle import Shuffled

__all__ = ["NearShuffle"]


class NearShuffle(Shuffled, Exact):
    """A learned enlargement of the image and the features, mixed and rearranged.

    SPANV2 (NTIRE 2026): the image through a 3x3 convolution with scale^2 filters a colour (as
    nearest-neighbour enlarging at first), beside it the features; a depthwise 3x3 over both, a 1x1
    to colors * scale^2 channels, and a pixel shuffle. No convolution has a bias.
    """

    def __init__(self, channels: int, colors: int, scale: int, activation: Part) -> None:
        super().__init__()
        self.scale = scale
        squares = colors * scale**2
        both = squares + channels
        self.near = nn.Conv2d(colors, squares, 3, padding=1, groups=colors, bias=False)
        self.depthwise = nn.Conv2d(both, both, 3, padding=1, groups=both, bias=False)
        self.pointwise = nn.Conv2d(both, squares, 1, bias=False)

    def squares(self, features: Tensor, image: Tensor) -> Tensor:
        """(N, C, h, w) and (N, colors, h, w) to (N, colors * scale^2, h, w)."""
        both = torch.cat([self.exactly(self.near, image), features], dim=1)
        return self.exactly(self.pointwise, self.exactly(self.depthwise, both))

    @torch.no_grad()
    def start(self) -> None:
        """First weights, with which it enlarges the image by nearest neighbours."""
        near, depthwise, pointwise = (
            layer.weight for layer in (self.near, self.depthwise, self.pointwise)
        )
        for weight in (near, depthwise[: len(near)], pointwise):
            weight.zero_()
        near[:, :, 1, 1] = 1
        depthwise[: len(near), :, 1, 1] = 1
        pointwise[:, : len(near), 0, 0].fill_diagonal_(1)

    @staticmethod
    def layers(
        channels: int, colors: int, scale: int, activation: Part, size: Size
    ) -> Iterator[Layer]:
        """Three convolutions."""
        squares = colors * scale**2
        both = squares + channels
        yield conv("near", colors, squares, 3, size, groups=colors, bias=False)
        yield conv("depthwise", both, both, 3, size, groups=both, bias=False)
        yield conv("pointwise", both, squares, 1, size, bias=False)
