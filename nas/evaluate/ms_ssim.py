"""MS-SSIM on BT.601 luma: structure compared at five sizes of the images."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from nas.evaluate.quality import Luma, Pixels, luma, shaved

__all__ = ["LEAST_PX", "ms_ssim_y"]

_WINDOW, _SIGMA = 11, 1.5
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

LEAST_PX = _WINDOW * 2 ** (len(_WEIGHTS) - 1)
"""The smallest side, after shaving, of which the fifth size still holds a window."""


def ms_ssim_y(sr: Pixels, hr: Pixels, shave: int) -> float:
    """MS-SSIM on luma, 0..1, ``shave`` pixels of every border left out.

    Source: Wang, Simoncelli and Bovik 2003, "Multi-scale structural similarity for image quality
    assessment", eq. 7, with the five weights, the window and the halving (means of 2 x 2 pixels;
    a last odd row or column counts twice) of its reference code. Where the mean of contrast and
    structure at a size is below 0, which has no real power, it counts as 0.

    Raises:
        InputError: shapes differ, or a side is below `LEAST_PX` after shaving.
    """
    x, y = shaved(luma(sr), luma(hr), shave, smallest=LEAST_PX)
    found = []
    for size in range(len(_WEIGHTS)):
        whole, contrast = _similarity(x, y)
        found.append(whole if size == len(_WEIGHTS) - 1 else contrast)
        x, y = _halved(x), _halved(y)
    return float(np.prod(np.maximum(found, 0.0) ** np.array(_WEIGHTS)))


def _similarity(x: Luma, y: Luma) -> tuple[float, float]:
    """Means over the "valid" positions of SSIM, and of its contrast and structure alone."""
    mean_x, mean_y = _smoothed(x), _smoothed(y)
    squares = _smoothed(x * x) + _smoothed(y * y) - mean_x**2 - mean_y**2
    contrast = (2 * (_smoothed(x * y) - mean_x * mean_y) + _C2) / (squares + _C2)
    brightness = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return float((brightness * contrast).mean()), float(contrast.mean())


def _smoothed(image: Luma) -> Luma:
    edge = _WINDOW // 2
    smooth = gaussian_filter(image, _SIGMA, radius=edge)
    return np.asarray(smooth[edge:-edge, edge:-edge])


def _halved(image: Luma) -> Luma:
    height, width = image.shape
    even = np.pad(image, ((0, height % 2), (0, width % 2)), mode="symmetric")
    return np.asarray(even.reshape(even.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3)))
