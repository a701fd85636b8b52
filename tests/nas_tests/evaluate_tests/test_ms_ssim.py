from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import convolve2d

from nas.evaluate.ms_ssim import LEAST_PX, ms_ssim_y
from nas.evaluate.quality import Pixels, luma
from search_spaces.errors import InputError

Values = npt.NDArray[np.float64]


def images(height: int, width: int, noise: int = 40) -> tuple[Pixels, Pixels]:
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    hr = np.kron(coarse, np.ones((8, 8, 1)))[:height, :width].astype(np.uint8)
    sr = np.clip(hr.astype(int) + rng.integers(-noise, noise + 1, hr.shape), 0, 255)
    return sr.astype(np.uint8), hr


def reference(x: Values, y: Values) -> float:
    """Step by step as msssim.m of the paper's authors."""
    g = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(g, g) / g.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def mean(image: Values) -> Values:
        return np.asarray(convolve2d(image, window, mode="valid"))

    def halved(image: Values) -> Values:
        # imfilter with ones(2)/4: of each pixel and its neighbours to the right and below.
        edged = np.pad(image, ((0, 1), (0, 1)), mode="symmetric")
        return np.asarray(convolve2d(edged, np.full((2, 2), 0.25), mode="valid")[::2, ::2])

    product = 1.0
    for size, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mx, my = mean(x), mean(y)
        vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        cs = (2 * vxy + c2) / (vx + vy + c2)
        ssim = cs * (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        product *= float((ssim if size == 4 else cs).mean()) ** weight
        x, y = halved(x), halved(y)
    return product


@pytest.mark.parametrize("size", [(182, 182), (189, 203)])
def test_is_that_of_the_reference_code(size: tuple[int, int]) -> None:
    sr, hr = images(*size)
    expected = reference(luma(sr)[3:-3, 3:-3], luma(hr)[3:-3, 3:-3])
    assert 0.5 < expected < 0.99
    assert ms_ssim_y(sr, hr, 3) == pytest.approx(expected, abs=1e-12)


def test_equal_images_have_1_and_opposite_ones_0() -> None:
    _, hr = images(LEAST_PX, LEAST_PX)
    assert ms_ssim_y(hr, hr, 0) == pytest.approx(1)
    # Structure of the other sign has no real power.
    assert ms_ssim_y(255 - hr, hr, 0) == 0


def test_small_photos_are_refused() -> None:
    sr, hr = images(LEAST_PX + 3, 300)
    with pytest.raises(InputError, match=r"at least 180 x 180 pixels .* got 179 x 300"):
        ms_ssim_y(sr, hr, 2)
