"""A channel attention of one's own: `nas search --import examples/my_blocks.py ...`.

One class, one line. The class says how to build the module and, in ``layers``, what it
costs; the first time it is built, its price is checked against the module. ``widths`` names what
pruning may lower inside it, and ``pool_globally`` is what it takes of the whole image, which
``nas upscale`` gives to all tiles alike; a part without them is left whole, or looks at each tile
by itself. ``reads`` is the convolution that reads the input for the gate, which lets
``nas compress fold`` take factors of it into the weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.attention import ATTENTIONS
from search_spaces.inner import Inner, free
from search_spaces.layer import Layer, Size, conv


class MaxAttention(nn.Module):
    """Gates each channel by its largest value in the image."""

    reads = "squeeze"

    def __init__(self, channels: int, *, width: Annotated[int, Ge(1)] = 8) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, width, 1)
        self.excite = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        gate: Tensor = self.excite(self.squeeze(self.pool_globally(x)).relu()).sigmoid()
        return x * gate

    def pool_globally(self, x: Tensor) -> Tensor:
        """The largest value of every channel, (N, C, 1, 1)."""
        return x.amax((2, 3), keepdim=True)

    @staticmethod
    def layers(channels: int, size: Size, *, width: int = 8) -> Iterator[Layer]:
        """Two 1x1 convolutions on one pixel."""
        yield conv("squeeze", channels, width, 1, (1, 1))
        yield conv("excite", width, channels, 1, (1, 1))

    @staticmethod
    def widths(options: Mapping[str, Any]) -> Iterator[Inner]:
        """The hidden width may shrink."""
        return free("width", options["width"])


ATTENTIONS.add("max", MaxAttention)
