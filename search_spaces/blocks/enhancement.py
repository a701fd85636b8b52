"""The distillation block of IDN: an enhancement unit and a compression unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.blocks.unsliced import Weights, cut, cut_activation, named, parts, stacked
from search_spaces.blocks.widths import Widths
from search_spaces.errors import InputError
from search_spaces.inner import Inner
from search_spaces.layer import Layer, Size, conv, placed
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
        self.distilled, self.groups = distilled, groups
        widths = _widths(channels, distilled, inner)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 3, padding=1, groups=groups if grouped else 1)
            for i, o, grouped in widths
        )
        self.compress = nn.Conv2d(channels + distilled, channels, 1)
        self.activations = nn.ModuleList(
            ACTIVATIONS.make(activation, width) for width in (*(o for _, o, _ in widths), channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        y = x
        for k, layer in enumerate(self.convs):
            if k == 3:
                kept, y = y[:, : self.distilled], y[:, self.distilled :]
            y = self.activations[k](layer(y))
        out: Tensor = self.activations[-1](self.compress(y + torch.cat([x, kept], dim=1)))
        return out

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        distilled: int = 16,
        groups: int = 4,
        inner: Widths = None,
    ) -> Iterator[Layer]:
        """Six 3x3 convolutions and the 1x1, and what the activations behind them have learnt."""
        for k, (i, o, grouped) in enumerate(_widths(channels, distilled, inner)):
            yield conv(f"conv{k + 1}", i, o, 3, size, groups=groups if grouped else 1)
            yield from placed(f"activation{k + 1}", ACTIVATIONS.layers(activation, o))
        yield conv("compress", channels + distilled, channels, 1, size)
        yield from placed("activation7", ACTIVATIONS.layers(activation, channels))

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

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        """All of them; what goes on after the split is the input of no grouped convolution."""
        d = options["distilled"]
        yield Inner(("distilled",), d)
        for k, width in enumerate(options["inner"] or _inner(channels, d)):
            yield Inner(("inner", k), width, 1 if k == 2 else options["groups"])

    def unsliced(self) -> nn.Module:
        """The same block with a layer for every width."""
        return _Unsliced(self)


class _Unsliced(nn.Module):
    def __init__(self, block: EnhancementBlock) -> None:
        super().__init__()
        first, second, third, fourth, fifth, sixth = block.convs
        self.upper = nn.ModuleList([*parts(first, block.groups), *parts(second, block.groups)])
        self.kept, self.rest = cut(third, block.distilled)
        self.lower = nn.ModuleList([*parts(fourth, block.groups), *parts(fifth, block.groups)])
        self.stream, self.aside = cut(sixth, block.compress.out_channels)
        self.compress = block.compress
        # Behind each of these convolutions, in their order.
        groups, sides = (
            [self.upper, self.lower],
            [(self.kept, self.rest), (self.stream, self.aside)],
        )
        bends = iter(block.activations)
        self.bends = nn.ModuleList()
        for grouped, side in zip(groups, sides, strict=True):
            half = len(grouped) // 2
            for convs in (grouped[:half], grouped[half:], side):
                each: list[Any] = list(convs)
                sizes = [conv.out_channels for conv in each]
                self.bends.append(nn.ModuleList(cut_activation(next(bends), sizes)))
        self.last = next(bends)

    def forward(self, x: Tensor) -> Tensor:
        y = self._grouped(self.upper, 0, x)
        kept, rest = (self._bent(2, k, conv(y)) for k, conv in enumerate((self.kept, self.rest)))
        y = self._grouped(self.lower, 3, rest)
        stream, aside = (
            self._bent(5, k, conv(y)) for k, conv in enumerate((self.stream, self.aside))
        )
        out: Tensor = self.last(self.compress(torch.cat([stream + x, aside + kept], dim=1)))
        return out

    def _bent(self, place: int, part: int, y: Tensor) -> Tensor:
        group: Any = self.bends[place]
        out: Tensor = group[part](y)
        return out

    def _grouped(self, convs: nn.ModuleList, place: int, x: Tensor) -> Tensor:
        half = len(convs) // 2
        first = [self._bent(place, k, convs[k](x)) for k in range(half)]
        each = [self._bent(place + 1, k, convs[half + k](y)) for k, y in enumerate(first)]
        return torch.cat(each, dim=1)

    def joined(self) -> Weights:
        weights = named("compress", self.compress) | named("activations.6", self.last)
        for start, convs in ((0, self.upper), (3, self.lower)):
            half = len(convs) // 2
            weights |= stacked(f"convs.{start}", convs[:half])
            weights |= stacked(f"convs.{start + 1}", convs[half:])
        for place, group in enumerate(self.bends):
            each: Any = group
            weights |= stacked(f"activations.{place}", each)
        weights |= stacked("convs.2", (self.kept, self.rest))
        return weights | stacked("convs.5", (self.stream, self.aside))


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
