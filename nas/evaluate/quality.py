"""PSNR and SSIM on BT.601 luma, as the super-resolution papers measure them, and PSNR on RGB."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from search_spaces.errors import InputError

__all__ = [
    "RGB_TO_YCC", "Luma", "Pixels", "luma", "psnr_of_luma_db", "psnr_rgb_db", "psnr_y_db",
    "shave_px", "shaved", "ssim_of_luma", "ssim_y",
]  # fmt: skip

Pixels = npt.NDArray[np.uint8]
Luma = npt.NDArray[np.float64]
A = TypeVar("A", bound=npt.NDArray[Any])

RGB_TO_YCC = (
    np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
    / 255.0
)
"""BT.601 studio range: rows give Y, above 16, and Cb and Cr, around 128, of (R, G, B) in 0..255."""

_WINDOW = 11


def shave_px(scale: int) -> int:
    """Pixels of every border that the field leaves out: ``scale``; none where nothing is enlarged.

    Source: the evaluation of SwinIR (Liang et al., ICCVW 2021), as of EDSR and BasicSR.
    """
    return 0 if scale == 1 else scale


def luma(pixels: Pixels) -> Luma:
    """BT.601 studio-range luma (16..235), not rounded.

    Args:
        pixels: uint8, (H, W, 3) RGB, or (H, W), which is taken as luma already.

    Raises:
        InputError: another shape or type.
    """
    if pixels.dtype != np.uint8 or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    ):
        raise InputError(
            f"pixels must be uint8 of shape (H, W, 3) or (H, W), got {pixels.dtype} {pixels.shape}"
        )
    if pixels.ndim == 2:
        return pixels.astype(np.float64)
    return np.asarray(pixels @ RGB_TO_YCC[0] + 16.0, dtype=np.float64)


def psnr_y_db(sr: Pixels, hr: Pixels, shave: int) -> float:
    """PSNR on luma in dB, ``shave`` pixels of every border left out; identical images give inf.

    Raises:
        InputError: shapes differ, or nothing is left after shaving.
    """
    return psnr_of_luma_db(luma(sr), luma(hr), shave)


def ssim_y(sr: Pixels, hr: Pixels, shave: int) -> float:
    """SSIM on luma, -1..1: 11x11 Gaussian window of sigma 1.5, "valid" positions only.

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural
    similarity", eq. 13, with the constants of its reference code.

    Raises:
        InputError: shapes differ, or less than one window is left after shaving.
    """
    return ssim_of_luma(luma(sr), luma(hr), shave)


def psnr_of_luma_db(sr: Luma, hr: Luma, shave: int) -> float:
    """`psnr_y_db` on luma planes (H, W) that are there already."""
    sr, hr = shaved(sr, hr, shave, smallest=1)
    return _psnr_db(float(np.mean(np.square(sr - hr))))


def psnr_rgb_db(sr: Pixels, hr: Pixels, shave: int) -> float:
    """PSNR in dB over all three colours, (H, W, 3), as NTIRE's challenges measure it.

    Raises:
        InputError: shapes differ, or nothing is left after shaving.
    """
    sr, hr = shaved(sr, hr, shave, smallest=1)
    return _psnr_db(float(np.mean(np.square(sr.astype(np.float64) - hr))))


def ssim_of_luma(sr: Luma, hr: Luma, shave: int) -> float:
    """`ssim_y` on luma planes (H, W) that are there already."""
    from skimage.metrics import structural_similarity

    sr, hr = shaved(sr, hr, shave, smallest=_WINDOW)
    _, full = structural_similarity(
        sr,
        hr,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    # skimage's own mean crops these 5 pixels too, but only in some versions.
    edge = _WINDOW // 2
    return float(full[edge:-edge, edge:-edge].mean())


def shaved(sr: A, hr: A, shave: int, *, smallest: int) -> tuple[A, A]:
    """Two images (H, W) or (H, W, colours) without ``shave`` pixels of every border.

    Raises:
        InputError: shapes differ, or a side is below ``smallest`` then.
    """
    if sr.shape != hr.shape:
        raise InputError(
            f"SR and HR must have the same size, got {sr.shape} and {hr.shape}; "
            "crop HR to a multiple of the scale"
        )
    least = 2 * shave + smallest
    if min(hr.shape[:2]) < least:
        raise InputError(
            f"images must be at least {least} x {least} pixels to be measured with a shaved "
            f"border of {shave}, got {hr.shape[0]} x {hr.shape[1]}"
        )
    inner = (slice(shave, hr.shape[0] - shave), slice(shave, hr.shape[1] - shave))
    return sr[inner], hr[inner]  # type: ignore[return-value]


def _psnr_db(mean_square: float) -> float:
    return math.inf if mean_square == 0 else 10.0 * math.log10(255.0**2 / mean_square)
