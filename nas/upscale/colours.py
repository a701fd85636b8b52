"""Between an image's channels and what a network takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from nas.evaluate.quality import RGB_TO_YCC
from nas.upscale.bicubic import bicubic

__all__ = ["Alpha", "enlarge_channels"]

Alpha = Literal["bicubic", "network"]
Forward = Callable[[Tensor], Tensor]

# The same on 0..1.
_YCC = torch.from_numpy(RGB_TO_YCC)
_OFFSET = torch.tensor([16.0, 128.0, 128.0], dtype=torch.float64) / 255.0
_GRAY_RANGE = 219.0 / 255.0


def enlarge_channels(
    forward: Forward, image: Tensor, scale: int, *, colors: int, alpha: Alpha = "bicubic"
) -> Tensor:
    """The image ``scale`` times as large, not clamped.

    RGB goes through the network as it is; a network of one colour gets BT.601 luma, and chroma
    is enlarged bicubically. Gray is the mean of what a network of three colours makes of
    three equal channels. Colours under alpha are enlarged as they stand, not premultiplied.

    Args:
        forward: the network: (1, colors, h, w) in 0..1 to (1, colors, h * scale, w * scale).
        image: (1, C, h, w) in 0..1; C is 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha).
        scale: 1, 2, 3 or 4.
        colors: 3, or 1 for a network on luma.
        alpha: how the alpha channel is enlarged; ``"network"`` as a gray image.
    """
    channels = image.shape[1]
    visible = channels - (channels + 1) % 2
    shown = image[:, :visible]
    large = _rgb(forward, shown, scale, colors) if visible == 3 else _gray(forward, shown, colors)
    if visible == channels:
        return large
    opacity = image[:, visible:]
    wide = bicubic(opacity, scale) if alpha == "bicubic" else _gray(forward, opacity, colors)
    return torch.cat([large, wide], dim=1)


def _rgb(forward: Forward, rgb: Tensor, scale: int, colors: int) -> Tensor:
    if colors == 3:
        return forward(rgb)
    ycc = torch.einsum("ij,njhw->nihw", _like(_YCC, rgb), rgb) + _like(_OFFSET, rgb)
    large = torch.cat([forward(ycc[:, :1]).clamp(0, 1), bicubic(ycc[:, 1:], scale)], dim=1)
    back = _like(torch.linalg.inv(_YCC), rgb)
    return torch.einsum("ij,njhw->nihw", back, large - _like(_OFFSET, rgb))


def _gray(forward: Forward, gray: Tensor, colors: int) -> Tensor:
    if colors == 3:
        return forward(gray.expand(-1, 3, -1, -1)).mean(1, keepdim=True)
    return (forward(gray * _GRAY_RANGE + 16 / 255) - 16 / 255) / _GRAY_RANGE


def _like(constant: Tensor, image: Tensor) -> Tensor:
    moved = constant.to(image.device, image.dtype)
    return moved if constant.ndim == 2 else moved.view(1, -1, 1, 1)
