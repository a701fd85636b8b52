"""Bicubic enlargement of float planes, the same on a tile as on the whole image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["bicubic"]

_REACH_PX = 2


def bicubic(planes: Tensor, scale: int) -> Tensor:
    """(N, C, h, w) to (N, C, h * scale, w * scale), not clamped.

    Cubic kernel with a = -0.5 (Keys, IEEE TASSP 1981) and symmetric edges, as MATLAB's
    ``imresize`` has it, without its rounding.
    """
    n, channels, height, width = planes.shape
    x = planes[:, :, _symmetric(height, planes.device)][..., _symmetric(width, planes.device)]
    phases = _phases(scale).to(planes.device, planes.dtype)
    kernels = torch.einsum("ai,bj->abij", phases, phases).reshape(scale**2, 1, 5, 5)
    x = x.reshape(n * channels, 1, *x.shape[-2:])
    large = F.pixel_shuffle(F.conv2d(x, kernels), scale)
    return large.reshape(n, channels, height * scale, width * scale)


def _symmetric(length: int, device: torch.device) -> Tensor:
    places = torch.arange(-_REACH_PX, length + _REACH_PX, device=device) % (2 * length)
    return torch.minimum(places, 2 * length - 1 - places)


def _phases(scale: int) -> Tensor:
    """(scale, 5): weights of the pixels from -2 to 2 for each output pixel of one input pixel."""
    at = (torch.arange(scale, dtype=torch.float64) + 0.5) / scale - 0.5
    d = (at[:, None] - torch.arange(-_REACH_PX, _REACH_PX + 1)).abs()
    near = 1.5 * d**3 - 2.5 * d**2 + 1
    far = -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return torch.where(d <= 1, near, torch.where(d < 2, far, torch.zeros_like(d)))
