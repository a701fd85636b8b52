"""ESA on a tile, computed as a part of the whole image."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from nas.upscale.tiles import ALIGN_PX
from search_spaces.attention.esa import LEAST_SIDE_PX, ESALite

__all__ = ["Frame", "frame_attentions"]


@dataclass(slots=True)
class Frame:
    """Where in the whole image the network works at the moment; pixels, (rows, columns).

    ``whole`` is None while it sees the image at once.
    """

    whole: tuple[int, int] | None = None
    origin: tuple[int, int] = (0, 0)


def frame_attentions(network: nn.Module, frame: Frame) -> int:
    """Makes every ESA of the network heed ``frame``; returns how many there are.

    ESA stretches a coarse map, whose 6-pixel cells leave out the image's last ones, over all
    of its input. On a tile by itself the cells would lie elsewhere and the stretch would be
    another: gray levels off along the whole seam, whatever the overlap. With tiles that begin
    at multiples of 6 pixels and the whole image's stretch, they are the same.
    """
    found = 0
    for module in network.modules():
        # A user's variant with a forward of its own is left alone.
        if isinstance(module, ESALite) and type(module).forward is ESALite.forward:
            module.forward = types.MethodType(_forward(frame), module)  # type: ignore[method-assign]
            found += 1
    return found


def _forward(frame: Frame) -> Any:
    def forward(self: ESALite, x: Tensor) -> Tensor:
        if frame.whole is None:
            return ESALite.forward(self, x)
        reduced = self.reduce(x)
        coarse = self.coarse(reduced)
        stretched = _stretched(coarse, frame, (x.shape[-2], x.shape[-1])).to(coarse.dtype)
        out: Tensor = x * self.expand(stretched + self.shortcut(reduced)).sigmoid()
        return out

    return forward


def _stretched(coarse: Tensor, frame: Frame, size: tuple[int, int]) -> Tensor:
    """The tile's part of the bilinearly enlarged coarse map, float32 (N, C, h, w)."""
    assert frame.whole is not None
    rows, columns = (
        _bilinear(whole, origin, length, cells, coarse.device)
        for whole, origin, length, cells in zip(
            frame.whole, frame.origin, size, coarse.shape[-2:], strict=True
        )
    )
    # Interpolation as two products with sparse matrices: small beside the convolutions.
    with torch.autocast(coarse.device.type, enabled=False):
        return rows @ coarse.float() @ columns.T


def _bilinear(whole: int, origin: int, length: int, cells: int, device: torch.device) -> Tensor:
    """(length, cells): each pixel's weights on the tile's cells."""
    strided = (max(whole, LEAST_SIDE_PX) - 3) // 2 + 1
    all_cells = (strided - 7) // 3 + 1
    pixel = torch.arange(origin, origin + length, dtype=torch.float64)
    place = ((pixel + 0.5) * (all_cells / whole) - 0.5).clamp(0, all_cells - 1)
    place = (place - origin // ALIGN_PX).clamp(0, cells - 1)
    first = place.floor().long().clamp(max=max(0, cells - 2))
    share = place - first
    weights = torch.zeros(length, cells, dtype=torch.float64)
    weights.scatter_(1, first[:, None], 1 - share[:, None])
    if cells > 1:
        weights.scatter_(1, first[:, None] + 1, share[:, None])
    return weights.to(device, torch.float32)
