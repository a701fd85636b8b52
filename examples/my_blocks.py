"""A channel attention of one's own: `nas search --import examples/my_blocks.py ...`.

One class, one line. The class says how to build the module and, in ``layers``, what it
costs; the first time it is built, its price is checked against the module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.attention import ATTENTIONS
from search_spaces.layer import Layer, Size, conv


class MaxAttention(nn.Module):
    """Gates each channel by its largest value in the image."""

    def __init__(self, channels: int, *, width: Annotated[int, Ge(1)] = 8) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, width, 1)
        self.excite = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        peak = x.amax((2, 3), keepdim=True)
        gate: Tensor = self.excite(self.squeeze(peak).relu()).sigmoid()
        return x * gate

    @staticmethod
    def layers(channels: int, size: Size, *, width: int = 8) -> Iterator[Layer]:
        """Two 1x1 convolutions on one pixel."""
        yield conv("squeeze", channels, width, 1, (1, 1))
        yield conv("excite", width, channels, 1, (1, 1))


ATTENTIONS.add("max", MaxAttention)
