"""CCA on tiles with the statistics of the whole image instead of each tile's own."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.attention.cca import CCA

__all__ = ["Contrasts", "pool_together", "samples"]

_PATCH_PX = 128
# What a patch's zero border disturbs most; not counted where the patch is larger.
_MARGIN_PX = 12


@dataclass(slots=True)
class Contrasts:
    """The contrast of every channel at every CCA.

    Attributes:
        mode: ``"own"``: each image has its own, as in training. ``"collect"``: all images of
            a batch are pooled together, and the result kept. ``"apply"``: the kept ones.
        kept: by place in the network.
    """

    mode: Literal["own", "collect", "apply"] = "own"
    kept: dict[int, Tensor] = field(default_factory=dict)


def pool_together(network: nn.Module, contrasts: Contrasts) -> int:
    """Makes every CCA of the network heed ``contrasts``; returns how many there are.

    A tile by itself has another contrast than its neighbour, and so other gates: a step of
    tens of gray levels at the seam. With one set of statistics for all tiles there is none;
    what is left is a difference from the whole image's statistics.
    """
    found = 0
    for module in network.modules():
        if isinstance(module, CCA) and type(module).forward is CCA.forward:
            module.forward = types.MethodType(_forward(contrasts, found), module)  # type: ignore[method-assign]
            found += 1
    return found


def _forward(contrasts: Contrasts, place: int) -> Any:
    def forward(self: CCA, x: Tensor) -> Tensor:
        if contrasts.mode == "own":
            return CCA.forward(self, x)
        if contrasts.mode == "collect":
            margin = _MARGIN_PX if min(x.shape[-2:]) > 4 * _MARGIN_PX else 0
            height, width = x.shape[-2:]
            inner = x[..., margin : height - margin, margin : width - margin].float()
            mean = inner.mean((0, 2, 3), keepdim=True)
            variance = (inner - mean).square().mean((0, 2, 3), keepdim=True)
            contrasts.kept[place] = variance.sqrt() + mean
        contrast = contrasts.kept[place].to(x.dtype)
        out: Tensor = x * self.excite(F.relu(self.squeeze(contrast))).sigmoid()
        return out

    return forward


def samples(height: int, width: int, most_pixels: int) -> list[tuple[slice, slice]]:
    """Equal patches spread evenly over an image, together ``most_pixels`` or one patch."""
    patch = min(_PATCH_PX, height, width)
    count = max(1, most_pixels // patch**2)
    rows = max(1, min(-(-height // patch), round((count * height / width) ** 0.5)))
    columns = max(1, min(-(-width // patch), count // rows))
    return [
        (slice(top, top + patch), slice(left, left + patch))
        for top in np.linspace(0, height - patch, rows).astype(int).tolist()
        for left in np.linspace(0, width - patch, columns).astype(int).tolist()
    ]
