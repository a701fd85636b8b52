"""DRN's residual distilling group, in our reading of its abstract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["DistillingGroup"]


class DistillingGroup(nn.Module):
    """Residual distilling units with one long skip.

    Our reading of DRN (Sun et al., arXiv 1907.02843), of which we have the abstract: a
    unit is 3x3 C to C, activation, 3x3 C to C + d; the first C channels are added to the
    unit's input, the last d are activated and kept. After the units the stream and all
    that was kept go through a 1x1 to C, and the group's input is added.

    Args:
        channels: width C of input and output.
        activation: the activation between the convolutions and on the kept parts.
        units: residual distilling units in the group.
        distilled: d.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        units: Annotated[int, Ge(1)] = 3,
        distilled: Annotated[int, Ge(1)] = 12,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.first = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(units)
        )
        self.second = nn.ModuleList(
            nn.Conv2d(channels, channels + distilled, 3, padding=1) for _ in range(units)
        )
        self.fuse = nn.Conv2d(channels + units * distilled, channels, 1)
        self.activation = ACTIVATIONS.make(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        stream, kept = x, []
        for first, second in zip(self.first, self.second, strict=True):
            y = second(self.activation(first(stream)))
            stream = stream + y[:, : self.channels]
            # The slice is a view of a tensor that the sum needs no more: in place is safe.
            kept.append(self.activation(y[:, self.channels :].clone()))
        out: Tensor = self.fuse(torch.cat([stream, *kept], dim=1)) + x
        return out

    @staticmethod
    def layers(
        channels: int, size: Size, *, units: int = 3, distilled: int = 12
    ) -> Iterator[Layer]:
        """Two 3x3 convolutions a unit and the fusing 1x1."""
        for k in range(units):
            yield conv(f"unit{k + 1}.first", channels, channels, 3, size)
            yield conv(f"unit{k + 1}.second", channels, channels + distilled, 3, size)
        yield conv("fuse", channels + units * distilled, channels, 1, size)
