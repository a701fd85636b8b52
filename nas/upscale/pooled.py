"""What a network pools over the whole image, for all of its tiles at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from torch import Tensor, nn

__all__ = ["Statistics", "pool_together", "samples"]

_PATCH_PX = 128
# What a patch's zero border disturbs most; not counted where the patch is larger.
_MARGIN_PX = 12


@dataclass(slots=True)
class Statistics:
    """What is pooled over the whole image, such as the contrast of every channel at a CCA.

    Attributes:
        mode: ``"own"``: each image has its own, as in training. ``"collect"``: all images of
            a batch are pooled together, and the result kept. ``"apply"``: the kept ones.
        kept: by place in the network.
    """

    mode: Literal["own", "collect", "apply"] = "own"
    kept: dict[int, Tensor] = field(default_factory=dict)


def pool_together(network: nn.Module, statistics: Statistics) -> int:
    """Makes every module with a method ``pool_globally`` heed ``statistics``; returns their number.

    A tile by itself has another contrast than its neighbour, and so other gates: a step of
    tens of gray levels at the seam. With one set of statistics for all tiles there is none;
    what is left is a difference from the whole image's statistics.
    """
    pooling: list[Any] = [one for one in network.modules() if hasattr(one, "pool_globally")]
    for place, module in enumerate(pooling):
        module.pool_globally = _shared(module.pool_globally, statistics, place)
    return len(pooling)


def _shared(
    own: Callable[[Tensor], Tensor], statistics: Statistics, place: int
) -> Callable[[Tensor], Tensor]:
    def pooled(x: Tensor) -> Tensor:
        if statistics.mode == "own":
            return own(x)
        height, width = x.shape[-2:]
        if statistics.mode == "collect":
            margin = _MARGIN_PX if min(height, width) > 4 * _MARGIN_PX else 0
            inner = x[..., margin : height - margin, margin : width - margin]
            # The patches side by side, as one image.
            statistics.kept[place] = own(inner.permute(1, 2, 0, 3).flatten(2)[None])
        kept = statistics.kept[place].to(x.dtype)
        return kept.expand(len(x), *kept.shape[1:])

    return pooled


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
