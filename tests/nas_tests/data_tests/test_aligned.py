from __future__ import annotations

import numpy as np
import pytest

from nas.data.aligned import aligned, centre, fits
from nas.data.degradation import bicubic_down
from nas.data.degradations import load_chain
from nas.data.photo import Photo
from search_spaces.errors import InputError


def noise(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def test_lr_is_made_where_there_is_none() -> None:
    pixels = noise(19, 26)
    lr, hr = aligned(Photo("a", pixels), 3)
    np.testing.assert_array_equal(hr, pixels[:18, :24])
    np.testing.assert_array_equal(lr, bicubic_down(hr, 3))


def test_lr_of_a_chain_and_own_lr_before_it() -> None:
    chain, pixels = load_chain("jpeg"), noise(19, 26)
    lr, hr = aligned(Photo("a", pixels, degradation=chain), 3)
    np.testing.assert_array_equal(lr, chain.of_photo(hr, 3, "a").lr)
    own = noise(6, 8)
    assert aligned(Photo("a", pixels, own, chain), 3).lr is own
    assert centre(Photo("a", pixels, degradation=chain), 12, 3).degradation is chain


@pytest.mark.parametrize("more", [0, 1, 2])
def test_own_lr_with_hr_cut_to_it(more: int) -> None:
    own, pixels = noise(6, 8), noise(18 + more, 24 + more)
    lr, hr = aligned(Photo("a", pixels, own), 3)
    assert lr is own
    np.testing.assert_array_equal(hr, pixels[:18, :24])


@pytest.mark.parametrize("size", [(18, 27), (17, 24), (24, 18), (6, 8)])
def test_lr_of_another_scale(size: tuple[int, int]) -> None:
    assert not fits((6, 8), size, 3)
    expected = rf"a: LR of 6 x 8 .*, expected {size[0] // 3} x {size[1] // 3} for HR of {size[0]} x"
    with pytest.raises(InputError, match=expected):
        aligned(Photo("a", noise(*size), noise(6, 8)), 3)


def test_nothing_is_made_at_scale_1() -> None:
    own, pixels = noise(6, 8), noise(6, 8)
    lr, hr = aligned(Photo("a", pixels, own), 1)
    assert lr is own
    np.testing.assert_array_equal(hr, pixels)
    with pytest.raises(InputError, match=r"a: at scale 1 .*: nothing to learn.* --lr"):
        aligned(Photo("a", pixels), 1)


def test_too_small_for_one_lr_pixel() -> None:
    with pytest.raises(InputError, match="a: a photo for x3 needs at least 3 x 3 pixels"):
        aligned(Photo("a", noise(2, 9)), 3)


@pytest.mark.parametrize(("scale", "side"), [(2, 12), (3, 12), (3, 13), (1, 12)])
def test_the_middle_of_a_pair_is_a_pair(scale: int, side: int) -> None:
    # Each LR pixel is that of HR in its corner.
    pixels = noise(37, 10)
    rows, columns = 37 // scale, 10 // scale
    own = pixels[: rows * scale : scale, : columns * scale : scale]
    lr, hr = aligned(centre(Photo("a", pixels, own), side, scale), scale)
    assert hr.shape[0] in range(side - scale, side + 1)
    assert hr.shape[1] == columns * scale
    np.testing.assert_array_equal(lr, hr[::scale, ::scale])


def test_the_middle_without_lr() -> None:
    pixels = noise(37, 40)
    cut = centre(Photo("a", pixels), 12, 2)
    np.testing.assert_array_equal(cut.pixels, pixels[12:24, 14:26])
    assert cut.lr is None
