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
from search_spaces.layer import Layer, Size
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

    Equal to the unit to what torch, ``torch.utils.flop_counter`` (halved) and thop count
    on the built network. fvcore adds 4 a pixel for each value of a bilinear resize.

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
    sources = [("stem", STEMS.layers(arch.stem, arch.colors, arch.channels, size))]
    for k, block in enumerate(arch.blocks):
        sources.append((f"blocks.{k + 1}", BLOCKS.layers(block, arch.channels, size)))
    fusion = FUSIONS.layers(arch.fusion, arch.channels, len(arch.blocks), size)
    upsampler = UPSAMPLERS.layers(arch.upsampler, arch.channels, arch.colors, arch.scale, size)
    skip = SKIPS.layers(arch.image_skip, arch.colors, arch.scale, size)
    sources += [("fusion", fusion), ("upsampler", upsampler), ("image_skip", skip)]
    for place, parts in sources:
        for layer in parts:
            yield layer._replace(name=f"{place}.{layer.name}")


def _sums(arch: Architecture, size: Size) -> Iterator[tuple[int, int, int]]:
    yield _sum(STEMS.layers(arch.stem, arch.colors, arch.channels, size))
    for block, run in groupby(arch.blocks):
        params, macs, activations = _block_sum(block, arch.channels, size)
        count = len(list(run))
        yield count * params, count * macs, count * activations
    yield _sum(FUSIONS.layers(arch.fusion, arch.channels, len(arch.blocks), size))
    yield _sum(UPSAMPLERS.layers(arch.upsampler, arch.channels, arch.colors, arch.scale, size))
    yield _sum(SKIPS.layers(arch.image_skip, arch.colors, arch.scale, size))


@lru_cache(maxsize=65536)
def _block_sum(block: Part, channels: int, size: Size) -> tuple[int, int, int]:
    # Most networks repeat one block: it is counted once.
    return _sum(BLOCKS.layers(block, channels, size))


def _sum(parts: Iterator[Layer]) -> tuple[int, int, int]:
    params = macs = activations = 0
    for layer in parts:
        params += layer.params
        macs += layer.macs
        activations += layer.activations
    return params, macs, activations
