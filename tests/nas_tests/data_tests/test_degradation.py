from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from nas.data.degradation import bicubic_down, bicubic_up, mod_crop
from search_spaces.errors import InputError

SHAPES = st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([2, 3, 4]))


def cubic(x: float) -> float:
    """Keys' kernel with a = -0.5."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x < 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


def matlab_pass(lines: NDArray[np.uint8], factor: float, length: int) -> NDArray[np.uint8]:
    """MATLAB's imresize along axis 0, weight by weight in double precision."""
    size = lines.shape[0]
    widen = min(factor, 1.0)
    out = np.empty((length, *lines.shape[1:]), np.uint8)
    for row in range(length):
        centre = (row + 1) / factor + 0.5 * (1 - 1 / factor)  # 1-based, as MATLAB counts
        first = int(np.floor(centre - 2 / widen))
        places = range(first, first + int(np.ceil(4 / widen)) + 2)
        weights = np.array([widen * cubic(widen * (centre - place)) for place in places])
        weights /= weights.sum()
        mirrored = [(place - 1) % (2 * size) for place in places]
        rows = [place if place < size else 2 * size - 1 - place for place in mirrored]
        value = np.tensordot(weights, lines[rows].astype(np.float64), axes=1)
        # Weights of x2 and x4 are dyadic, so exact ties happen, and MATLAB rounds them up.
        out[row] = np.clip(np.floor(np.round(value, 9) + 0.5), 0, 255).astype(np.uint8)
    return out


def matlab_imresize(
    pixels: NDArray[np.uint8], factor: float, rows: int, columns: int
) -> NDArray[np.uint8]:
    resized = matlab_pass(pixels, factor, rows)
    return matlab_pass(resized.swapaxes(0, 1), factor, columns).swapaxes(0, 1)


def noise(height: int, width: int, seed: int, *, extreme: bool) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    if extreme:  # overshoots of the kernel are clipped between the passes
        return (255 * rng.integers(0, 2, (height, width, 3))).astype(np.uint8)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


@settings(deadline=None, max_examples=60)
@given(SHAPES, st.integers(0, 999), st.booleans())
def test_down_is_matlabs_imresize(shape: tuple[int, int, int], seed: int, extreme: bool) -> None:
    height, width, scale = shape
    pixels = noise(height, width, seed, extreme=extreme)
    want = matlab_imresize(pixels, 1 / scale, -(-height // scale), -(-width // scale))
    np.testing.assert_array_equal(bicubic_down(pixels, scale), want)


@settings(deadline=None, max_examples=40)
@given(SHAPES, st.integers(0, 999), st.booleans())
def test_up_is_matlabs_imresize(shape: tuple[int, int, int], seed: int, extreme: bool) -> None:
    height, width, scale = shape[0] // 2 + 1, shape[1] // 2 + 1, shape[2]
    pixels = noise(height, width, seed, extreme=extreme)
    want = matlab_imresize(pixels, scale, height * scale, width * scale)
    np.testing.assert_array_equal(bicubic_up(pixels, scale), want)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_down_of_a_photo(scale: int, sr_data: Path) -> None:
    with Image.open(sr_data / "test" / "Set5" / "butterfly.png") as image:
        photo = mod_crop(np.array(image.convert("RGB")), scale)
    want = matlab_imresize(photo, 1 / scale, photo.shape[0] // scale, photo.shape[1] // scale)
    np.testing.assert_array_equal(bicubic_down(photo, scale), want)


def test_rows_come_first() -> None:
    pixels = noise(24, 20, 5, extreme=True)
    columns_first = bicubic_down(np.ascontiguousarray(pixels.swapaxes(0, 1)), 4).swapaxes(0, 1)
    assert (bicubic_down(pixels, 4) != columns_first).any()


def test_gray_arrays_keep_their_shape() -> None:
    gray = noise(9, 8, 1, extreme=False)
    np.testing.assert_array_equal(bicubic_down(gray[..., 0], 2), bicubic_down(gray, 2)[..., 0])
    assert bicubic_up(gray[..., 0], 3).shape == (27, 24)


def test_mod_crop_keeps_the_top_left() -> None:
    pixels = noise(11, 9, 2, extreme=False)
    np.testing.assert_array_equal(mod_crop(pixels, 4), pixels[:8, :8])
    assert mod_crop(pixels[:8, :8], 4).shape == (8, 8, 3)


def test_mod_crop_of_too_small_a_photo() -> None:
    with pytest.raises(InputError, match=r"at least 4 x 4 pixels, got 3 x 9"):
        mod_crop(np.zeros((3, 9, 3), np.uint8), 4)
