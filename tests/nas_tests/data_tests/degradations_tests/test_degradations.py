from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from nas.data.degradations.blur import Blur, Sinc, bell, convolved, sinc
from nas.data.degradations.dice import Dice
from nas.data.degradations.jpeg import Jpeg
from nas.data.degradations.noise import GaussianNoise, PoissonNoise
from nas.data.degradations.resize import Resize
from nas.data.degradations.step import Step


def dice(seed: int = 0, lr_size: tuple[int, int] = (10, 10)) -> Dice:
    return Dice(np.random.default_rng(seed), lr_size)


def photo(height: int = 40, width: int = 50) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def flat(value: int, side: int = 200) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((side, side, 3), value, np.uint8)


@pytest.mark.parametrize("size", [(40, 50), (3, 5)])
def test_convolving(size: tuple[int, int]) -> None:
    kernel = np.random.default_rng(1).random((7, 7))
    kernel /= kernel.sum()
    image = photo(*size)
    wanted = np.stack(
        [ndimage.convolve(image[..., c].astype(float), kernel, mode="reflect") for c in range(3)],
        axis=-1,
    )
    assert np.abs(convolved(image, kernel) - wanted).max() < 0.51


def test_kernels() -> None:
    round_one = bell("iso", 21, (2.0, 2.0), 0.0, 1.0)
    along = np.exp(-(np.arange(-10, 11) ** 2) / 8)
    np.testing.assert_allclose(round_one, np.outer(along, along) / along.sum() ** 2)
    # A turn by a right angle swaps the sides.
    ellipse = bell("aniso", 21, (3.0, 1.0), 0.0, 1.0)
    np.testing.assert_allclose(bell("aniso", 21, (3.0, 1.0), math.pi / 2, 1.0), ellipse.T)
    assert ellipse[10, 13] > ellipse[13, 10]
    np.testing.assert_allclose(bell("generalised_iso", 21, (2.0, 2.0), 0.0, 1.0), round_one)
    plateau = bell("plateau_iso", 21, (2.0, 2.0), 0.0, 2.0)
    assert plateau[10, 12] / plateau[10, 10] == pytest.approx(1 / 2)
    for kernel in (round_one, ellipse, plateau, sinc(9, 0.5)):
        assert kernel.sum() == pytest.approx(1)


def test_sinc_passes_what_is_coarse_and_nothing_else() -> None:
    waves = np.abs(np.fft.fft2(sinc(101, 0.5)))[0]
    assert waves[:20] == pytest.approx(1, abs=0.06)  # 0.5 of Nyquist is number 25
    assert waves[31:51] == pytest.approx(0, abs=0.06)


def test_blur_says_what_it_drew() -> None:
    drawn = dice()
    Blur(sigma=(1.3, 1.3)).apply(photo(), drawn)
    Sinc(cutoff=(0.4, 0.4)).apply(photo(), drawn)
    assert drawn.said == ["blur 1.3", "sinc 0.40"]


def test_half_of_the_exponents_are_below_1() -> None:
    blur, said = Blur(sigma=(1.0, 1.0), kernels={"generalised_iso": 1.0}), []
    for seed in range(60):
        drawn = dice(seed)
        blur.apply(photo(3, 3), drawn)
        said.append(float(drawn.said[0].split()[-1]))
    # Uniformly from 0.5 to 4 it would be 14 %; five standard deviations of 60 halves are 19.
    assert 11 < sum(beta < 1 for beta in said) < 49


@pytest.mark.parametrize("kernel", ["area", "bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
def test_resizing_keeps_places(kernel: str, antialias: bool) -> None:
    # A slope stays that slope, whatever the kernel: nothing is shifted.
    slope = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], 60, 0).repeat(3, 2)
    resize = Resize(kernels={kernel: 1.0}, antialias=antialias)
    small = resize.apply(slope, dice(lr_size=(20, 40)))
    assert small.shape == (20, 40, 3)
    inner = small[5, 4:-4, 0].astype(float)
    np.testing.assert_allclose(inner, (np.arange(4, 36) * 3 + 1) * 2, atol=1)


def test_not_widened_kernels_see_single_pixels() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::4] = 255
    for antialias in (True, False):
        resize = Resize(kernels={"bilinear": 1.0}, antialias=antialias)
        small = resize.apply(stripes, dice(lr_size=(8, 8)))
        assert bool(small[4, 1:-1].max() > 40) is antialias


def test_sizes_are_of_the_lr_or_of_the_image() -> None:
    assert Resize(by=(1.5, 1.5)).apply(photo(), dice()).shape == (15, 15, 3)
    assert Resize(of="image", by=(0.3, 0.3)).apply(photo(), dice()).shape == (12, 15, 3)
    assert Resize(of="image", by=(0.05, 0.05)).apply(photo(9, 9), dice()).shape == (1, 1, 3)


@pytest.mark.parametrize("gray", [0.0, 1.0])
def test_gaussian_noise(gray: float) -> None:
    noisy = GaussianNoise(sigma=(20, 20), gray=gray).apply(flat(128), dice()).astype(float)
    assert noisy.mean() == pytest.approx(128, abs=0.5)
    assert noisy.std() == pytest.approx(20, abs=0.5)
    assert bool(np.ptp(noisy, axis=2).max() == 0) is bool(gray)


@pytest.mark.parametrize("gray", [0.0, 1.0])
def test_shot_noise_grows_with_the_light(gray: float) -> None:
    noise = PoissonNoise(scale=(1.5, 1.5), gray=gray)
    for value in (40, 160):
        noisy = noise.apply(flat(value), dice()).astype(float)
        assert noisy.std() == pytest.approx(1.5 * math.sqrt(value), rel=0.03)
        assert bool(np.ptp(noisy, axis=2).max() == 0) is bool(gray)


def test_jpeg_is_that_of_a_file() -> None:
    file, image = io.BytesIO(), photo()
    Image.fromarray(image).save(file, "JPEG", quality=40)
    drawn = dice()
    found = Jpeg(quality=(40, 40)).apply(image, drawn)
    np.testing.assert_array_equal(found, np.array(Image.open(file)))
    assert drawn.said == ["JPEG 40"]


def test_both_ends_of_qualities_are_drawn() -> None:
    drawn = dice()
    for _ in range(60):
        Jpeg(quality=(39, 41)).apply(photo(2, 2), drawn)
    assert set(drawn.said) == {"JPEG 39", "JPEG 40", "JPEG 41"}


def step(**values: Any) -> Step:
    return Step.model_validate(values)


def test_chances_and_weights() -> None:
    one = {"jpeg": {"quality": 1}, "weight": 3}
    group = step(chance=0.5, one_of=[one, {"jpeg": {"quality": 2}}])
    said = []
    for seed in range(400):
        drawn = dice(seed)
        group.apply(photo(2, 2), drawn)
        said += drawn.said
    # Binomial(400, 1/2) and Binomial(200, 3/4): five standard deviations each.
    assert 150 < len(said) < 250
    assert abs(said.count("JPEG 1") / len(said) - 0.75) < 0.16


def test_groups_keep_their_order_and_may_do_nothing() -> None:
    drawn, image = dice(), photo()
    inner = [{"jpeg": {"quality": 7}}, {"one_of": [{"keep": True}]}, {"sinc": {"cutoff": 1}}]
    step(steps=inner).apply(image, drawn)
    assert drawn.said == ["JPEG 7", "sinc 1.00"]
    assert step(chance=0, steps=inner).apply(image, drawn) is image
