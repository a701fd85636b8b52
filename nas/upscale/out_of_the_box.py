"""Enlarging with the networks that ship: no training, no file."""

from __future__ import annotations

from functools import cache

from nas.shipped.catalog import best_at, shipped_weights
from nas.upscale.upscaler import Pixels, Upscaler
from search_spaces.weights import load

__all__ = ["enlarge"]


def enlarge(pixels: Pixels, scale: int | None = None) -> Pixels:
    """An image enlarged by the best network that ships; `Upscaler` takes any other one.

    Args:
        pixels: (h, w, C) with C of 1 to 4 (see `enlarge_channels`), uint8 or uint16.
        scale: 2, 3 or 4; None: the largest at which a network ships.

    Returns:
        (h * scale, w * scale, C) of the same type.

    Raises:
        InputError: no network of that scale ships, or these are no pixels of an image.
    """
    return _upscaler(best_at(scale).name).enlarge(pixels)


@cache
def _upscaler(name: str) -> Upscaler:
    return Upscaler(load(shipped_weights(name)))
