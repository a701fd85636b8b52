"""Exact prices of an Architecture, without building it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from search_spaces.architecture import Architecture
from search_spaces.blocks import BLOCKS
from search_spaces.errors import InputError
from search_spaces.fusions import FUSIONS
from search_spaces.layer import Layer, Size, placed
from search_spaces.part import Part
from search_spaces.skips import SKIPS
from search_spaces.stems import STEMS
from search_spaces.upsamplers import UPSAMPLERS

__all__ = ["HR_720P", "Price", "layers", "lr_size", "price"]

HR_720P: Size = (720, 1280)
"""The output size at which the field states multiply-adds."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a network costs.

    Attributes:
        params: trainable parameters.
        macs: multiply-adds of all convolutions for one image (biases not counted).
        activations: elements of all convolution outputs for one image.
    """

    params: int
    macs: int
    activations: int


def lr_size(scale: int, hr: Size) -> Size:
    """The input size whose output is ``hr``, rounded down: 426x240 for 1280x720 at x3."""
    return hr[0] // scale, hr[1] // scale


def price(arch: Architecture, hr: Size = HR_720P, *, lr: Size | None = None) -> Price:
    """The exact price at an output size ``hr``, or at an input size ``lr`` (height, width).

    Equal to the unit to what torch and ``torch.utils.flop_counter`` (halved) count on the built
    network, and thop without training forms (it sees none of what is
    collapsed). fvcore adds 4 a pixel for each value of a bilinear resize.

    Raises:
        InputError: a side below one pixel of input.
    """
    size = lr if lr is not None else lr_size(arch.scale, hr)
    if min(size) < 1:
        raise InputError(f"expected an output of at least {arch.scale} px a side, got {hr}")
    totals = [0, 0, 0]
    for params, macs, activations in _sums(arch, size):
        totals[0] += params
        totals[1] += macs
        totals[2] += activations
    return Price(*totals)


def layers(arch: Architecture, hr: Size = HR_720P, *, lr: Size | None = None) -> Iterator[Layer]:
    """Every layer with weights, named by its place, for one image of that size."""
    size = lr if lr is not None else lr_size(arch.scale, hr)
    around = _around(arch, size)
    yield from placed("stem", around.pop("stem"))
    for k, block in enumerate(arch.blocks):
        own = BLOCKS.layers(block, arch.channels, arch.activation, size)
        yield from placed(f"blocks.{k + 1}", own)
    for place, parts in around.items():
        yield from placed(place, parts)


def _sums(arch: Architecture, size: Size) -> Iterator[tuple[int, int, int]]:
    yield from map(_sum, _around(arch, size).values())
    for block, run in groupby(arch.blocks):
        params, macs, activations = _block_sum(block, arch.channels, arch.activation, size)
        count = len(list(run))
        yield count * params, count * macs, count * activations


def _around(arch: Architecture, size: Size) -> dict[str, Iterator[Layer]]:
    """The layers of everything but the blocks, by its place."""
    a, blocks = arch, len(arch.blocks)
    return {
        "stem": STEMS.layers(a.stem, a.colors, a.channels, a.activation, size),
        "fusion": FUSIONS.layers(a.fusion, a.channels, blocks, a.activation, size),
        "upsampler": UPSAMPLERS.layers(
            a.upsampler, a.channels, a.colors, a.scale, a.activation, size
        ),
        "image_skip": SKIPS.layers(a.image_skip, a.colors, a.scale, size),
    }


@lru_cache(maxsize=65536)
def _block_sum(block: Part, channels: int, activation: Part, size: Size) -> tuple[int, int, int]:
    # Most networks repeat one block: it is counted once.
    return _sum(BLOCKS.layers(block, channels, activation, size))


def _sum(parts: Iterator[Layer]) -> tuple[int, int, int]:
    params = macs = activations = 0
    for layer in parts:
        params += layer.params
        macs += layer.macs
        activations += layer.activations
    return params, macs, activations
