"""The distillation block of IDN: an enhancement unit and a compression unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.blocks.widths import Widths
from search_spaces.errors import InputError
from search_spaces.layer import Layer, Size, conv
from search_spaces.part import Part

__all__ = ["EnhancementBlock"]


class EnhancementBlock(nn.Module):
    """Six 3x3 convolutions with one split between, then a compressing 1x1.

    IDN (Hui et al., CVPR 2018): widths C-d, C-2d, C; the first d channels are kept and the
    rest goes on through C, C-d, C+d, to which the block's input and the kept part are
    added; the activation follows every convolution. The second convolution of each three
    is grouped.

    Args:
        channels: width C of input and output.
        activation: the activation after every convolution.
        distilled: d.
        groups: groups of the two grouped convolutions.
        inner: the five widths after the first, second, fourth and fifth convolution and, in
            the middle, of what goes on after the split: C-d, C-2d, C-d, C, C-d unless said.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        distilled: Annotated[int, Ge(1)] = 16,
        groups: Annotated[int, Ge(1)] = 4,
        inner: Widths = None,
    ) -> None:
        super().__init__()
        self.distilled = distilled
        widths = _widths(channels, distilled, inner)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1, groups=groups if grouped else 1)
            for i, o, grouped in widths
        )
        self.compress = nn.Conv2d(channels + distilled, channels, 1)
        self.activation = ACTIVATIONS.make(activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        y = x
        for k, layer in enumerate(self.convs):
            if k == 3:
                kept, y = y[:, : self.distilled], y[:, self.distilled :]
            y = self.activation(layer(y))
        out: Tensor = self.activation(self.compress(y + torch.cat([x, kept], dim=1)))
        return out

    @staticmethod
    def layers(
        channels: int, size: Size, *, distilled: int = 16, groups: int = 4, inner: Widths = None
    ) -> Iterator[Layer]:
        """Six 3x3 convolutions and the 1x1."""
        for k, (i, o, grouped) in enumerate(_widths(channels, distilled, inner)):
            yield conv(f"conv{k + 1}", i, o, 3, size, groups=groups if grouped else 1)
        yield conv("compress", channels + distilled, channels, 1, size)

    @staticmethod
    def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with inner widths left out where they are IDN's.

        Raises:
            InputError: widths that are not positive or not divisible by the groups.
        """
        groups, inner = options["groups"], options["inner"]
        if inner is not None and (isinstance(inner, int) or len(inner) != 5):
            raise InputError(f"inner: expected a list of 5 widths, got {inner}")
        for i, o, grouped in _widths(channels, options["distilled"], inner):
            if i < 1 or o < 1 or (grouped and (i % groups or o % groups)):
                raise InputError(
                    f"distilled {options['distilled']} and groups {groups} do not fit "
                    f"{channels} channels: a grouped convolution would go from {i} to {o}"
                )
        usual = inner == _inner(channels, options["distilled"])
        return {**options, "inner": None if usual else inner}


def _inner(channels: int, d: int) -> tuple[int, ...]:
    return channels - d, channels - 2 * d, channels - d, channels, channels - d


def _widths(channels: int, d: int, inner: Widths) -> tuple[tuple[int, int, bool], ...]:
    widths = inner if isinstance(inner, tuple) else _inner(channels, d)
    first, second, rest, fourth, fifth = widths
    return (
        (channels, first, False),
        (first, second, True),
        (second, d + rest, False),
        (rest, fourth, False),
        (fourth, fifth, True),
        (fifth, channels + d, False),
    )
