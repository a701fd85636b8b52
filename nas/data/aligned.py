"""LR and HR of a photo: its own LR where it has one, else one that is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.degradation import bicubic_down, mod_crop
from nas.data.photo import Photo
from search_spaces.errors import InputError

__all__ = ["Aligned", "aligned", "centre", "check_lr", "fits"]

Pixels = NDArray[np.uint8]


class Aligned(NamedTuple):
    """One photo at one scale.

    Attributes:
        lr: uint8 RGB, shape (h, w, 3).
        hr: uint8 RGB, shape (h * scale, w * scale, 3), a view of the photo's pixels.
    """

    lr: Pixels
    hr: Pixels


def fits(lr_size: Sequence[int], hr_size: Sequence[int], scale: int) -> bool:
    """Whether images of these sizes are LR and HR of one photo.

    HR is ``scale`` times as large in both directions, or up to ``scale - 1`` pixels larger than
    that, which `aligned` cuts off below and at the right.
    """
    pairs = zip(lr_size, hr_size, strict=True)
    return all(0 <= large - small * scale < scale for small, large in pairs)


def check_lr(photo: Photo, scale: int) -> None:
    """Makes sure that there is something to learn from a photo and to measure on it.

    Raises:
        InputError: at scale 1 LR would be HR.
    """
    if scale == 1 and not photo.has_own_lr and photo.degradation is None:
        raise InputError(
            f"{photo.name}: at scale 1 the LR that bicubic makes is the photo itself: nothing to "
            f"learn or to measure; give images to be restored with --lr (and --val-lr), or a "
            f"--degradation"
        )


def aligned(photo: Photo, scale: int) -> Aligned:
    """The photo cropped to a multiple of ``scale``, and its LR at that scale.

    That is its own, or else what its chain of degradations makes of the cropped photo, seeded by
    its name, or else MATLAB's bicubic, to the bit. Every LR that networks are calibrated or judged
    on comes from here, and that they are trained on, but for patches of a chain, which draw anew.

    Raises:
        InputError: the photo is smaller than one LR pixel, its own LR is of another scale, or there
            is none at scale 1.
    """
    try:
        hr = mod_crop(photo.pixels, scale)
    except InputError as error:
        raise InputError(f"{photo.name}: {error}") from None
    check_lr(photo, scale)
    if photo.lr is None:
        if photo.degradation is not None:
            return Aligned(photo.degradation.of_photo(hr, scale, photo.name).lr, hr)
        return Aligned(bicubic_down(hr, scale), hr)
    if not fits(photo.lr.shape[:2], photo.pixels.shape[:2], scale):
        raise InputError(
            f"{photo.name}: LR of {photo.lr.shape[0]} x {photo.lr.shape[1]} pixels (height x "
            f"width), expected {hr.shape[0] // scale} x {hr.shape[1] // scale} for HR of "
            f"{photo.height} x {photo.width} at scale {scale}; give the LR images of that scale"
        )
    return Aligned(photo.lr, hr)


def centre(photo: Photo, side_px: int, scale: int) -> Photo:
    """The middle of a photo, with its own LR where it has one.

    Args:
        photo: to be cut.
        side_px: most height and width of the HR part, pixels.
        scale: upscaling factor.
    """
    top, left = (max(0, (side - side_px) // 2) for side in (photo.height, photo.width))
    lr = photo.lr
    if lr is not None:
        y, x, side = top // scale, left // scale, side_px // scale
        top, left = y * scale, x * scale
        lr = np.ascontiguousarray(lr[y : y + side, x : x + side])
    pixels = photo.pixels[top : top + side_px, left : left + side_px]
    return replace(photo, pixels=np.ascontiguousarray(pixels), lr=lr)
