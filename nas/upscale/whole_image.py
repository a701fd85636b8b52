"""ESA on a tile, computed as a part of the whole image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.upscale.tiles import ALIGN_PX
from search_spaces.attention.esa import LEAST_SIDE_PX, ESALite

__all__ = ["Frame", "frame_attentions", "part_of_whole"]


@dataclass(slots=True)
class Frame:
    """Where in the whole image the network works at the moment; pixels, (rows, columns).

    ``whole`` is None while it sees the image at once.
    """

    whole: tuple[int, int] | None = None
    origin: tuple[int, int] = (0, 0)

    def stretched(self, coarse: Tensor, size: torch.Size) -> Tensor:
        """The coarse map enlarged to the tile's size, as it is in the whole image."""
        if self.whole is None:
            return ESALite.stretched(coarse, size)
        whole, origin = (torch.tensor(k, dtype=torch.float64) for k in (self.whole, self.origin))
        with torch.autocast(coarse.device.type, enabled=False):
            return part_of_whole(coarse.float(), size, whole, origin).to(coarse.dtype)


def frame_attentions(network: nn.Module, stretch: Callable[[Tensor, torch.Size], Tensor]) -> int:
    """Makes every ESA of the network stretch its coarse map so; returns how many there are.

    ESA stretches a coarse map, whose 6-pixel cells leave out the image's last ones, over all
    of its input. On a tile by itself the cells would lie elsewhere and the stretch would be
    another: gray levels off along the whole seam, whatever the overlap. With tiles that begin
    at multiples of 6 pixels and the whole image's stretch, they are the same.
    """
    found = 0
    for module in network.modules():
        # A user's variant with a forward of its own is left alone.
        if isinstance(module, ESALite) and type(module).forward is ESALite.forward:
            module.stretched = stretch  # type: ignore[assignment, method-assign]
            found += 1
    return found


def part_of_whole(coarse: Tensor, size: torch.Size, whole: Tensor, origin: Tensor) -> Tensor:
    """A tile's coarse map (N, C, cells, cells), bilinearly enlarged to (N, C, height, width).

    In words that exporters of graphs follow; two products with sparse matrices, small beside
    the convolutions.

    Args:
        coarse: see above.
        size: height and width of the tile.
        whole: (2,), the whole image's height and width.
        origin: (2,), where the tile begins.
    """
    rows, columns = (
        _bilinear(whole[k], origin[k], size[k], coarse.shape[2 + k]).to(coarse) for k in (0, 1)
    )
    return rows @ coarse @ columns.T


def _bilinear(whole: Tensor, origin: Tensor, length: int, cells: int) -> Tensor:
    """(length, cells): each pixel's weights on the tile's cells."""
    strided = ((whole.clamp_min(LEAST_SIDE_PX) - 3) / 2).floor() + 1
    all_cells = ((strided - 7) / 3).floor() + 1
    pixel = torch.arange(length) + origin
    place = (pixel + 0.5) * (all_cells / whole) - 0.5
    # Two clamps: one end of a range is a number, the other a tensor.
    place = torch.minimum(place.clamp_min(0), all_cells - 1) - (origin / ALIGN_PX).floor()
    place = place.clamp(0, cells - 1)
    return (1 - (place[:, None] - torch.arange(cells)).abs()).clamp_min(0)
