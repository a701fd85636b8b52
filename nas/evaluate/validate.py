"""What a network is worth on photos that it was not trained on."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from torch import nn

from nas.evaluate.quality import luma, psnr_of_luma_db, shave_px, ssim_of_luma
from nas.evaluate.upscale import upscale
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.data import Photo

__all__ = [
    "ImageQuality",
    "Quality",
    "Reference",
    "bicubic_quality",
    "reference",
    "score",
    "validate",
]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Reference:
    """One photo ready to be measured on.

    ``lr`` (h, w, 3) and ``hr`` (h * scale, w * scale, 3) are uint8 RGB, ``hr_y`` is float luma.
    """

    name: str
    lr: Pixels
    hr: Pixels
    hr_y: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """PSNR-Y (dB) and SSIM-Y of one photo, and by what else it was measured."""

    name: str
    psnr_y_db: float
    ssim_y: float
    more: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the photos (of dB, as the papers do it), and every photo's own figures."""

    psnr_y_db: float
    ssim_y: float
    images: tuple[ImageQuality, ...]
    more: tuple[float, ...] = ()

    @classmethod
    def of(cls, images: Sequence[ImageQuality]) -> Quality:
        """That of at least one photo."""
        return cls(
            math.fsum(image.psnr_y_db for image in images) / len(images),
            math.fsum(image.ssim_y for image in images) / len(images),
            tuple(images),
            tuple(
                math.fsum(of) / len(images) for of in zip(*(i.more for i in images), strict=True)
            ),
        )


_Key: TypeAlias = tuple[int, str, tuple[int, ...]]

_REFERENCES: dict[_Key, Reference] = {}


def reference(photo: Photo, scale: int) -> Reference:
    """The photo cropped to a multiple of ``scale``, with its LR: its own, or MATLAB's bicubic.

    Kept as long as the photo's pixels live: a search validates every trial on the same ones.
    """
    from nas.data.aligned import aligned

    own = [pixels for pixels in (photo.pixels, photo.lr) if pixels is not None]
    by = "" if photo.degradation is None else f"{photo.name}, {photo.degradation.digest}"
    key: _Key = (scale, by, tuple(map(id, own)))
    found = _REFERENCES.get(key)
    if found is None:
        lr, hr = aligned(photo, scale)
        # Copies: a reference that held the pixels themselves would keep them for ever.
        found = Reference(photo.name, lr.copy(), hr.copy(), luma(hr))
        for pixels in own:
            weakref.finalize(pixels, _REFERENCES.pop, key, None)
        _REFERENCES[key] = found
    return found


def score(
    enlarge: Callable[[Pixels], Pixels], references: Iterable[Reference], scale: int
) -> Quality:
    """Quality of any function from LR to SR (uint8 RGB), borders shaved as by `shave_px`.

    Raises:
        InputError: no references, or one too small to be measured.
    """
    images, shave = [], shave_px(scale)
    for ref in references:
        sr_y = luma(enlarge(ref.lr))
        try:
            psnr_y_db = psnr_of_luma_db(sr_y, ref.hr_y, shave)
            images.append(ImageQuality(ref.name, psnr_y_db, ssim_of_luma(sr_y, ref.hr_y, shave)))
        except InputError as error:
            raise InputError(f"{ref.name}: {error}") from error
    if not images:
        raise InputError("validation needs at least one photo, got none")
    return Quality.of(images)


def validate(
    network: nn.Module, photos: Sequence[Photo], scale: int, *, colors: int = 3
) -> Quality:
    """PSNR-Y and SSIM-Y of the network's SR against the photos, in float32 on its device.

    Args:
        network: takes and gives (N, colors, h, w) in 0..1.
        photos: HR, and LR where they have their own; else it is made from HR.
        scale: 1, 2, 3 or 4.
        colors: 3, or 1 for a network on luma (see `upscale`).

    Raises:
        InputError: no photos, or one too small to be measured.
    """
    references = [reference(photo, scale) for photo in photos]
    return score(lambda lr: upscale(network, lr, scale, colors=colors), references, scale)


def bicubic_quality(photos: Sequence[Photo], scale: int) -> Quality:
    """The same figures for bicubic enlargement: the floor that every network must beat.

    At scale 1 that is the input itself.
    """
    from nas.data.degradation import bicubic_up

    references = [reference(photo, scale) for photo in photos]
    return score(lambda lr: bicubic_up(lr, scale), references, scale)
