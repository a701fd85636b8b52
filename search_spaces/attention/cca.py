"""Contrast-aware channel attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.inner import Inner, free
from search_spaces.layer import Layer, Size, conv

__all__ = ["CCA"]

# The square root's gradient is infinite at 0, which constant maps reach.
_LEAST_VARIANCE = 1e-10


class CCA(nn.Module):
    """Gates each channel by its contrast (standard deviation plus mean over the image).

    IMDN (Hui et al., ACM MM 2019). ``width`` is the hidden width, C/r in papers.
    """

    reads = "squeeze"

    def __init__(self, channels: int, *, width: Annotated[int, Ge(1)]) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, width, 1)
        self.excite = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        contrast = self.pool_globally(x)
        out: Tensor = x * self.excite(F.relu(self.squeeze(contrast))).sigmoid()
        return out

    def pool_globally(self, x: Tensor) -> Tensor:
        """The contrast of every channel, (N, C, 1, 1)."""
        # bf16 has too few digits for a variance over thousands of pixels.
        values = x.float()
        mean = values.mean((2, 3), keepdim=True)
        variance = (values - mean).square().mean((2, 3), keepdim=True)
        if self.training:
            variance = variance.clamp_min(_LEAST_VARIANCE)
        return (variance.sqrt() + mean).to(x.dtype)

    @staticmethod
    def layers(channels: int, size: Size, *, width: int) -> Iterator[Layer]:
        """Two 1x1 convolutions on one pixel, whatever the size."""
        yield conv("squeeze", channels, width, 1, (1, 1))
        yield conv("excite", width, channels, 1, (1, 1))

    @staticmethod
    def widths(options: Mapping[str, Any]) -> Iterator[Inner]:
        """The hidden one."""
        return free("width", options["width"])
