"""How far a network sees."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["receptive_radius"]


def receptive_radius(network: nn.Module, most: int) -> int:
    """Farthest input pixel (rows or columns) that an output pixel depends on, measured.

    A gradient that is not zero shows dependence. Where it reaches ``most``, that is the answer.
    """
    side = 2 * most + 1
    probe = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    colors = getattr(getattr(network, "architecture", None), "colors", 3)
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(1, colors, side, side, generator=generator).requires_grad_()
    out = probe(image)
    scale = out.shape[-1] // side
    out[..., most * scale : (most + 1) * scale, most * scale : (most + 1) * scale].sum(
    ).backward()  # fmt: skip
    assert image.grad is not None
    rows, columns = image.grad.abs().sum((0, 1)).nonzero(as_tuple=True)
    if not len(rows):
        return 0
    return int(torch.cat([rows - most, columns - most]).abs().max())
