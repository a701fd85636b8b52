"""Image skips without weights: resizing as every image program does it, or none."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer, Size
from search_spaces.shuffle import shuffled

__all__ = ["AnchorSkip", "BicubicSkip", "BilinearSkip", "NearestSkip", "NoSkip"]


class _ResizedSkip(nn.Module):
    mode: str

    def __init__(self, colors: int, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, colors, h * scale, w * scale)."""
        if self.scale == 1:
            return image
        corners = None if self.mode == "nearest" else False
        return F.interpolate(image, scale_factor=self.scale, mode=self.mode, align_corners=corners)

    @staticmethod
    def layers(colors: int, scale: int, size: Size) -> Iterator[Layer]:
        """None: resizing has no weights."""
        yield from ()


class NearestSkip(_ResizedSkip):
    """Every pixel repeated."""

    mode = "nearest"


class BilinearSkip(_ResizedSkip):
    """Linear interpolation between the nearest two pixels a side."""

    mode = "bilinear"


class BicubicSkip(_ResizedSkip):
    """Cubic convolution over the nearest four pixels a side, as torch has it (a = -0.75)."""

    mode = "bicubic"


class AnchorSkip(nn.Module):
    """Every pixel repeated, without resizing: the image scale^2 times along the channels.

    It is added before the pixel shuffle, where the upsampler ends in one: resizing is slow on
    phones, and in int8 ABPN has 0.3 dB more so (Du et al., CVPRW 2021).
    """

    def __init__(self, colors: int, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def squares(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, colors * scale^2, h, w)."""
        return image.repeat_interleave(self.scale**2, dim=1)

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to (N, colors, h * scale, w * scale)."""
        return shuffled(self.squares(image), self.scale)

    @staticmethod
    def layers(colors: int, scale: int, size: Size) -> Iterator[Layer]:
        """None."""
        yield from ()


class NoSkip(nn.Module):
    """Nothing is added: the network makes the whole image."""

    def __init__(self, colors: int, scale: int) -> None:
        super().__init__()

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) to nothing that an addition would show, (1,)."""
        return image.new_zeros(1)

    @staticmethod
    def layers(colors: int, scale: int, size: Size) -> Iterator[Layer]:
        """None."""
        yield from ()
