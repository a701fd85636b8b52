"""Convolutions in a row with activations between: what plain blocks and gated ones have alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from search_spaces.activations import ACTIVATIONS
from search_spaces.blocks.widths import Widths, collapsed, spread
from search_spaces.convs import CONVS
from search_spaces.inner import Inner, free, within
from search_spaces.layer import Layer, Size, placed
from search_spaces.part import Part

__all__ = ["ConvRow", "row_canonical", "row_layers", "row_widths"]


class ConvRow(nn.Module):
    """``count`` convolutions from C channels to C, activations between and, if wanted, after.

    Args:
        channels: width C.
        activation: the activation.
        count: convolutions.
        convolution: their kind; of each, where they are several.
        inner: widths between them (one number: all alike), C unless said.
        last_activation: the activation follows the last one, too.
    """

    def __init__(
        self,
        channels: int,
        activation: Part,
        count: int,
        convolution: Part | Sequence[Part],
        inner: Widths,
        *,
        last_activation: bool = False,
    ) -> None:
        super().__init__()
        widths = _widths(channels, count, inner)
        kinds = _kinds(count, convolution)
        self.convs = nn.ModuleList(
            CONVS.make(kind, i, o) for kind, (i, o) in zip(kinds, pairwise(widths), strict=True)
        )
        bent = widths[1:] if last_activation else widths[1:-1]
        self.activations = nn.ModuleList(ACTIVATIONS.make(activation, width) for width in bent)

    def passed(self, x: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """``x`` through the convolutions from ``start`` to ``stop``, each with its activation."""
        for k in range(start, len(self.convs) if stop is None else stop):
            x = self.convs[k](x)
            if k < len(self.activations):
                x = self.activations[k](x)
        return x


def row_layers(
    channels: int,
    activation: Part,
    size: Size,
    count: int,
    convolution: Part | Sequence[Part],
    inner: Widths,
    *,
    last_activation: bool = False,
) -> Iterator[Layer]:
    """The convolutions, and what their activations have learnt."""
    kinds = _kinds(count, convolution)
    for k, (i, o) in enumerate(pairwise(_widths(channels, count, inner))):
        yield from placed(f"stage{k + 1}", CONVS.layers(kinds[k], i, o, size))
        if last_activation or k < count - 1:
            yield from placed(f"activation{k + 1}", ACTIVATIONS.layers(activation, o))


def row_canonical(channels: int, options: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The options with the inner widths left out where they are C.

    Raises:
        InputError: not one width, or one a place between two convolutions.
    """
    inner = collapsed(spread("inner", options["inner"], count - 1, channels))
    return {**options, "inner": None if inner in (channels, ()) else inner}


def row_widths(channels: int, options: Mapping[str, Any], count: int) -> Iterator[Inner]:
    """Those between the convolutions, and what these have inside."""
    yield from free("inner", spread("inner", options["inner"], count - 1, channels))
    yield from within("convolution", CONVS.widths(options["convolution"]))


def _kinds(count: int, convolution: Part | Sequence[Part]) -> Sequence[Part]:
    return [convolution] * count if isinstance(convolution, Part) else convolution


def _widths(channels: int, count: int, inner: Widths) -> tuple[int, ...]:
    return (channels, *spread("inner", inner, count - 1, channels), channels)
