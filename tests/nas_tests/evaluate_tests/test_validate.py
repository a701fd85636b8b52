from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nas.data import Photo
from nas.data.degradation import bicubic_down, bicubic_up
from nas.evaluate.quality import psnr_y_db, ssim_y
from nas.evaluate.upscale import upscale
from nas.evaluate.validate import bicubic_quality, reference, validate
from search_spaces.errors import InputError


class Nearest(nn.Module):
    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.interpolate(image, scale_factor=2.0) * self.gain


def test_validate_is_psnr_of_the_network_on_matlabs_lr(photo: Photo) -> None:
    hr = photo.pixels[:60, :74]
    sr = bicubic_down(hr, 2).repeat(2, axis=0).repeat(2, axis=1)
    quality = validate(Nearest(), [photo], 2)
    assert quality.psnr_y_db == psnr_y_db(sr, hr, 2)
    assert quality.ssim_y == ssim_y(sr, hr, 2)


def test_means_are_of_decibels(photo: Photo) -> None:
    other = Photo("half", photo.pixels[:40] // 2)
    quality = validate(Nearest(), [photo, other], 2)
    assert [image.name for image in quality.images] == ["noise", "half"]
    one, two = quality.images
    assert quality.psnr_y_db == pytest.approx((one.psnr_y_db + two.psnr_y_db) / 2)
    assert one.psnr_y_db != two.psnr_y_db


def test_output_is_clamped_and_rounded() -> None:
    pixels = np.full((4, 4, 3), 201, np.uint8)
    assert (upscale(Nearest(2.0), pixels, 2) == 255).all()
    assert (upscale(Nearest(-1.0), pixels, 2) == 0).all()
    assert (upscale(Nearest(0.99), pixels, 2) == 199).all()  # 198.99


def test_network_is_left_in_the_mode_it_was_in(photo: Photo) -> None:
    network = Nearest().train()
    validate(network, [photo], 2)
    assert network.training


def test_one_colour_network_gets_luma_and_bicubic_colour() -> None:
    red = np.zeros((6, 6, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(upscale(Nearest(), red, 2, colors=1).astype(int) - red[0, 0]).max() <= 1
    gray = np.arange(36, dtype=np.uint8).reshape(6, 6, 1).repeat(3, axis=2)
    sr = upscale(Nearest(), gray, 2, colors=1)
    expected = gray.repeat(2, axis=0).repeat(2, axis=1).astype(int)
    assert np.abs(sr.astype(int) - expected).max() <= 1


def test_a_photos_own_lr_is_enlarged(photo: Photo) -> None:
    lr = bicubic_down(photo.pixels[:60, :74], 2)
    made = validate(Nearest(), [photo], 2)
    assert validate(Nearest(), [replace(photo, lr=lr)], 2) == made
    dim = lr // 2
    dark = Photo(photo.name, photo.pixels, dim)
    sr = dim.repeat(2, axis=0).repeat(2, axis=1)
    assert validate(Nearest(), [dark], 2).psnr_y_db == psnr_y_db(sr, photo.pixels[:60, :74], 2)
    # Their HR is the same array.
    assert validate(Nearest(), [photo], 2) == made


def test_at_scale_1_the_input_is_judged_with_its_borders(photo: Photo) -> None:
    noisy = photo.pixels // 2
    quality = bicubic_quality([replace(photo, lr=noisy)], 1)
    assert quality.psnr_y_db == psnr_y_db(noisy, photo.pixels, 0)
    assert quality.ssim_y == ssim_y(noisy, photo.pixels, 0)


def test_references_are_kept_while_the_photo_lives(photo: Photo) -> None:
    assert reference(photo, 2) is reference(photo, 2)
    assert reference(photo, 3) is not reference(photo, 2)


def test_bicubic_is_bicubic(photo: Photo) -> None:
    hr = photo.pixels[:60, :74]
    expected = psnr_y_db(bicubic_up(bicubic_down(hr, 2), 2), hr, 2)
    assert bicubic_quality([photo], 2).psnr_y_db == expected


def test_too_small_or_no_photos_are_named(photo: Photo) -> None:
    with pytest.raises(InputError, match="tiny: images must be at least 15 x 15"):
        validate(Nearest(), [Photo("tiny", photo.pixels[:12, :12])], 2)
    with pytest.raises(InputError, match="at least one photo"):
        validate(Nearest(), [], 2)


@pytest.mark.parametrize(
    ("scale", "psnr", "ssim"), [(2, 33.66, 0.9299), (3, 30.39, 0.8682), (4, 28.42, 0.8104)]
)
def test_bicubic_on_set5_is_the_published_row(
    sr_data: Path, scale: int, psnr: float, ssim: float
) -> None:
    paths = sorted((sr_data / "test" / "Set5").glob("*.png"))
    photos = [Photo(path.stem, np.asarray(Image.open(path).convert("RGB"))) for path in paths]
    quality = bicubic_quality(photos, scale)
    # The published rows come from an older pipeline (Y first, LR kept in float).
    assert quality.psnr_y_db == pytest.approx(psnr, abs=0.015)
    assert quality.ssim_y == pytest.approx(ssim, abs=0.0008)
