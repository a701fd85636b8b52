"""A stem that looks at three neighbourhoods at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.layer import Layer, Size, conv, placed
from search_spaces.part import Part

__all__ = ["PyramidStem"]

_KERNELS = (3, 5, 7)


class PyramidStem(nn.Module):
    """Parallel 3x3, 5x5 and 7x7 convolutions, activation, and a 1x1 over all of them.

    Our reading of the pyramid-like module in the abstract of LMSWN (Yang et al., Computer
    Engineering & Science, 2024).
    """

    def __init__(self, colors: int, channels: int, activation: Part) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Conv2d(colors, channels, kernel, padding=kernel // 2) for kernel in _KERNELS
        )
        self.fuse = nn.Conv2d(len(_KERNELS) * channels, channels, 1)
        self.activation = ACTIVATIONS.make(activation, len(_KERNELS) * channels)

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, C, h, w)."""
        levels = torch.cat([level(image) for level in self.levels], dim=1)
        out: Tensor = self.fuse(self.activation(levels))
        return out

    @staticmethod
    def layers(colors: int, channels: int, activation: Part, size: Size) -> Iterator[Layer]:
        """One convolution a level, the activation's slopes and the fusing 1x1."""
        for kernel in _KERNELS:
            yield conv(f"level{kernel}", colors, channels, kernel, size)
        wide = ACTIVATIONS.layers(activation, len(_KERNELS) * channels)
        yield from placed("activation", wide)
        yield conv("fuse", len(_KERNELS) * channels, channels, 1, size)
