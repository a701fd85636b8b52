from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import convolve2d
from skimage.metrics import peak_signal_noise_ratio

from nas.evaluate.quality import luma, psnr_rgb_db, psnr_y_db, shave_px, ssim_y
from search_spaces.errors import InputError

RNG = np.random.default_rng(0)
HR = RNG.integers(0, 256, (31, 27, 3)).astype(np.uint8)
SR = np.clip(HR.astype(int) + RNG.integers(-30, 31, HR.shape), 0, 255).astype(np.uint8)


def test_luma_of_black_white_and_green() -> None:
    pixels = np.array([[[0, 0, 0], [255, 255, 255], [0, 255, 0]]], np.uint8)
    assert luma(pixels) == pytest.approx(np.array([[16.0, 235.0, 16 + 128.553]]))


def test_psnr_by_hand() -> None:
    hr = np.full((8, 8), 100, np.uint8)
    sr = hr.copy()
    sr[4, 4] = 110
    sr[0, 0] = 255  # in the border
    assert psnr_y_db(sr, hr, 2) == pytest.approx(10 * math.log10(255**2 / (100 / 16)))


def test_psnr_of_all_colours() -> None:
    inner = (slice(3, -3), slice(3, -3))
    expected = peak_signal_noise_ratio(HR[inner], SR[inner], data_range=255)
    assert psnr_rgb_db(SR, HR, 3) == pytest.approx(expected, abs=1e-12)
    assert psnr_rgb_db(HR, HR, 3) == math.inf
    with pytest.raises(InputError, match="at least 5 x 5"):
        psnr_rgb_db(SR[:4], HR[:4], 2)


def test_identical_images_are_infinitely_good() -> None:
    assert psnr_y_db(HR, HR, 2) == math.inf
    assert ssim_y(HR, HR, 2) == pytest.approx(1)


def test_ssim_equals_the_formula_of_the_paper() -> None:
    a, b = luma(SR)[3:-3, 3:-3], luma(HR)[3:-3, 3:-3]
    g = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(g, g) / g.sum() ** 2

    def mean(x: np.ndarray) -> np.ndarray:
        return np.asarray(convolve2d(x, window, mode="valid"))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = mean(a), mean(b)
    va, vb, vab = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    ssim = ((2 * ma * mb + c1) * (2 * vab + c2)) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    assert ssim_y(SR, HR, 3) == pytest.approx(float(ssim.mean()), abs=1e-12)


def test_bad_images_are_refused() -> None:
    with pytest.raises(InputError, match="same size"):
        psnr_y_db(SR[1:], HR, 2)
    with pytest.raises(InputError, match=r"at least 15 x 15 pixels .*got 14 x 27"):
        ssim_y(SR[:14], HR[:14], 2)
    with pytest.raises(InputError, match="at least 5 x 5"):
        psnr_y_db(SR[:4], HR[:4], 2)
    with pytest.raises(InputError, match="uint8"):
        psnr_y_db(SR.astype(np.float32), HR, 2)


def test_borders_count_where_nothing_is_enlarged() -> None:
    assert [shave_px(scale) for scale in (1, 2, 3, 4)] == [0, 2, 3, 4]
