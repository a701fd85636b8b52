"""Photos a second time, shrunk: more and sharper detail a pixel, where photos are few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from nas.data.photo import Photo
from nas.data.stored import StoredPhoto

__all__ = ["share_of_area", "with_shrunk"]


def with_shrunk(
    photos: Iterable[Photo], factors: Sequence[float], least_side_px: int
) -> tuple[Photo, ...]:
    """The photos, and behind them each one shrunk by each factor, antialiased bicubic.

    Of photos with LR of their own, which would have to be shrunk by what made it, and of those that
    stay on disk there are no others; nor those that would be too small.

    Args:
        photos: as they are.
        factors: of both sides, 0 to 1, as in Dong et al. 2016, "Accelerating the super-resolution
            convolutional neural network" (FSRCNN), section 4.1.
        least_side_px: the shortest side that is of use.
    """
    photos = tuple(photos)
    others = [
        _shrunk(photo, factor)
        for photo in photos
        for factor in factors
        if not (photo.has_own_lr or isinstance(photo, StoredPhoto))
        and int(photo.short_side * factor) >= least_side_px
    ]
    return (*photos, *others)


def share_of_area(factors: Iterable[float]) -> float:
    """How many times as many pixels there are, with those that are shrunk."""
    return 1.0 + sum(factor * factor for factor in factors)


def _shrunk(photo: Photo, factor: float) -> Photo:
    size = int(photo.width * factor), int(photo.height * factor)
    small = Image.fromarray(photo.pixels).resize(size, Image.Resampling.BICUBIC)
    return replace(photo, name=f"{photo.name} at {factor:g}", pixels=np.asarray(small))
