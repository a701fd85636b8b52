"""DRN's residual distilling group, in our reading of its abstract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge
from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.blocks.unsliced import Weights, cut, named, stacked
from search_spaces.blocks.widths import Widths, collapsed, spread
from search_spaces.inner import Inner
from search_spaces.layer import Layer, Size, conv, placed
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
        distilled: d (one number, or one a unit).
        inner: width between a unit's two convolutions (likewise), C unless said.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        units: Annotated[int, Ge(1)] = 3,
        distilled: Widths = 12,
        inner: Widths = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        widths = _units(channels, units, distilled, inner)
        self.first = nn.ModuleList(nn.Conv2d(channels, i, 3, padding=1) for i, _ in widths)
        self.second = nn.ModuleList(nn.Conv2d(i, channels + d, 3, padding=1) for i, d in widths)
        self.fuse = nn.Conv2d(channels + sum(d for _, d in widths), channels, 1)
        self.inner_activations = nn.ModuleList(ACTIVATIONS.make(activation, i) for i, _ in widths)
        self.kept_activations = nn.ModuleList(ACTIVATIONS.make(activation, d) for _, d in widths)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, h, w) to the same shape."""
        stream, kept = x, []
        for k, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            y = second(self.inner_activations[k](first(stream)))
            stream = stream + y[:, : self.channels]
            # The slice is a view of a tensor that the sum needs no more: in place is safe.
            kept.append(self.kept_activations[k](y[:, self.channels :].clone()))
        out: Tensor = self.fuse(torch.cat([stream, *kept], dim=1)) + x
        return out

    @staticmethod
    def layers(
        channels: int,
        activation: Part,
        size: Size,
        *,
        units: int = 3,
        distilled: Widths = 12,
        inner: Widths = None,
    ) -> Iterator[Layer]:
        """Two 3x3 convolutions a unit with their activations' slopes, and the fusing 1x1."""
        widths = _units(channels, units, distilled, inner)
        for k, (i, d) in enumerate(widths):
            yield conv(f"unit{k + 1}.first", channels, i, 3, size)
            yield from placed(f"unit{k + 1}.inner", ACTIVATIONS.layers(activation, i))
            yield conv(f"unit{k + 1}.second", i, channels + d, 3, size)
            yield from placed(f"unit{k + 1}.kept", ACTIVATIONS.layers(activation, d))
        yield conv("fuse", channels + sum(d for _, d in widths), channels, 1, size)

    @staticmethod
    def canonical(channels: int, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with equal widths as one number, inner ones left out where they are C.

        Raises:
            InputError: a list of widths that is not one a unit.
        """
        widths = _units(channels, options["units"], options["distilled"], options["inner"])
        inner = collapsed(tuple(i for i, _ in widths))
        return {
            **options,
            "distilled": collapsed(tuple(d for _, d in widths)),
            "inner": None if inner == channels else inner,
        }

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        """Both of every unit."""
        each = _units(channels, options["units"], options["distilled"], options["inner"])
        for k, (inner, distilled) in enumerate(each):
            yield Inner(("inner", k), inner)
            yield Inner(("distilled", k), distilled)

    def unsliced(self) -> nn.Module:
        """The same block with a layer for every width."""
        return _Unsliced(self)


class _Unsliced(nn.Module):
    def __init__(self, block: DistillingGroup) -> None:
        super().__init__()
        self.first, self.fuse = block.first, block.fuse
        self.inner_activations = block.inner_activations
        self.kept_activations = block.kept_activations
        cuts = [cut(conv, block.channels) for conv in block.second]
        self.stream = nn.ModuleList(stream for stream, _ in cuts)
        self.kept = nn.ModuleList(kept for _, kept in cuts)

    def forward(self, x: Tensor) -> Tensor:
        stream, kept = x, []
        units = zip(self.first, self.stream, self.kept, strict=True)
        for k, (first, more, aside) in enumerate(units):
            y = self.inner_activations[k](first(stream))
            stream = stream + more(y)
            kept.append(self.kept_activations[k](aside(y)))
        out: Tensor = self.fuse(torch.cat([stream, *kept], dim=1)) + x
        return out

    def joined(self) -> Weights:
        whole = ("first", "fuse", "inner_activations", "kept_activations")
        weights = {key: t for name in whole for key, t in named(name, getattr(self, name)).items()}
        for k, pair in enumerate(zip(self.stream, self.kept, strict=True)):
            weights |= stacked(f"second.{k}", pair)
        return weights


def _units(
    channels: int, units: int, distilled: Widths, inner: Widths
) -> tuple[tuple[int, int], ...]:
    # Inner and distilled width of each unit; 12 as in the constructor's default.
    return tuple(
        zip(
            spread("inner", inner, units, channels),
            spread("distilled", distilled, units, 12),
            strict=True,
        )
    )
