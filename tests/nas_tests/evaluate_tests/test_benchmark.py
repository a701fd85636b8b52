from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nas.data.degradation import bicubic_down, bicubic_up, mod_crop
from nas.evaluate.benchmark import (
    Enlarge,
    Pixels,
    TestSet,
    evaluate_set,
    evaluate_together,
    rows,
)
from nas.evaluate.ensemble import SelfEnsemble
from nas.evaluate.exact import exact_convolutions
from nas.evaluate.metrics import metrics_of
from nas.evaluate.quality import psnr_rgb_db, psnr_y_db, ssim_y
from nas.evaluate.upscale import upscale
from nas.evaluate.validate import ImageQuality, Quality
from search_spaces.checkpoints import import_checkpoint
from search_spaces.errors import InputError

# A test set of these names, sides in pixels (height, width).
SIZES = {"a.png": (40, 52), "b.png": (49, 47), "c.png": (44, 44)}


@pytest.fixture
def hr(tmp_path: Path) -> Path:
    folder = tmp_path / "HR"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size in SIZES.items():
        coarse = rng.integers(0, 256, (6, 6, 3), np.uint8)
        Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC).save(folder / name)
    return folder


def pixels(path: Path) -> Pixels:
    return np.array(Image.open(path).convert("RGB"))


def bicubic(scale: int) -> Enlarge:
    return lambda lr: bicubic_up(lr, scale)


def lr_folder(hr: Path, scale: int, name: Callable[[str], str]) -> Path:
    folder = hr.parent / "LR"
    folder.mkdir()
    for path in hr.iterdir():
        lr = bicubic_down(mod_crop(pixels(path), scale), scale)
        Image.fromarray(lr).save(folder / f"{name(path.stem)}.png")
    return folder


def test_figures_are_those_of_each_image_and_their_mean(hr: Path) -> None:
    quality = evaluate_set(bicubic(3), TestSet.open("Mine", hr, 3))
    assert [image.name for image in quality.images] == sorted(SIZES)
    for image in quality.images:
        whole = mod_crop(pixels(hr / image.name), 3)
        sr = bicubic_up(bicubic_down(whole, 3), 3)
        assert image.psnr_y_db == psnr_y_db(sr, whole, 3)
        assert image.ssim_y == ssim_y(sr, whole, 3)
    mean = math.fsum(image.psnr_y_db for image in quality.images) / 3
    assert quality.psnr_y_db == pytest.approx(mean, abs=1e-12)


def test_callback_gets_every_image(hr: Path) -> None:
    seen: list[tuple[str, tuple[int, ...]]] = []

    def note(image: ImageQuality, sr: Pixels) -> None:
        seen.append((image.name, sr.shape))

    evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4), on_image=note)
    assert seen == [("a.png", (40, 52, 3)), ("b.png", (48, 44, 3)), ("c.png", (44, 44, 3))]


def test_rows_close_each_set_with_its_mean(hr: Path) -> None:
    quality = evaluate_set(bicubic(2), TestSet.open("Mine", hr, 2))
    listed = list(rows({"Mine": [quality], "Again": [quality]}))
    assert [row[:2] for row in listed[:4]] == [
        ("Mine", "a.png"),
        ("Mine", "b.png"),
        ("Mine", "c.png"),
        ("Mine", "mean"),
    ]
    assert listed[3][2] == listed[7][2] == [(quality.psnr_y_db, quality.ssim_y)]


def test_several_are_measured_on_the_same_images(hr: Path) -> None:
    opened, saved = TestSet.open("Mine", hr, 2), list[Pixels]()
    found = evaluate_together(
        [bicubic(2), lambda lr: 255 - bicubic(2)(lr)], opened, workers=2,
        on_image=lambda _, sr: saved.append(sr),
    )  # fmt: skip
    assert found[0] == evaluate_set(bicubic(2), opened)
    assert found[1].psnr_y_db < found[0].psnr_y_db
    assert all(np.array_equal(sr, bicubic(2)(opened.reference(n).lr)) for n, sr in enumerate(saved))


def test_more_figures_of_each_image_and_their_mean(hr: Path) -> None:
    opened = TestSet.open("Mine", hr, 2)
    (quality,) = evaluate_together([bicubic(2)], opened, metrics=metrics_of(["psnr_rgb"]))
    for number, image in enumerate(quality.images):
        ref = opened.reference(number)
        assert image.more == (psnr_rgb_db(bicubic(2)(ref.lr), ref.hr, 2),)
    assert quality.more == pytest.approx((sum(one.more[0] for one in quality.images) / 3,))
    found = [figures for *_, (figures,) in rows({"Mine": [quality]})]
    assert found[3] == (quality.psnr_y_db, quality.ssim_y, *quality.more)
    with pytest.raises(InputError, match=r"^a.png: ms_ssim_y: images must be at least 180 x 180 "):
        evaluate_together([bicubic(2)], opened, metrics=metrics_of(["ms_ssim_y"]))


@pytest.mark.parametrize(
    "name", [str, "{}x4".format, "{}_x4".format, "{}_LRBI_x4".format, "{}_LR".format]
)
def test_ready_lr_is_used_by_name(name: Callable[[str], str], hr: Path) -> None:
    lr = lr_folder(hr, 4, name)
    # One LR image that isn't what we would make shows that the file is what counts.
    black = np.zeros((10, 13, 3), np.uint8)
    Image.fromarray(black).save(lr / f"{name('a')}.png")
    ours = evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4))
    given = evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4, lr=lr))
    assert given.images[1:] == ours.images[1:]
    assert given.images[0].psnr_y_db < ours.images[0].psnr_y_db - 3


def test_lr_of_another_scale_is_named(hr: Path) -> None:
    lr = lr_folder(hr, 2, str)
    with pytest.raises(
        InputError,
        match=r"Mine: a\.png: LR of 20 x 26 .*, expected 10 x 13 for .* scale 4",
    ):
        evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4, lr=lr))


def test_missing_lr_is_named(hr: Path) -> None:
    lr = lr_folder(hr, 4, "{}x4".format)
    (lr / "bx4.png").unlink()
    with pytest.raises(InputError, match=r"Mine: .* holds no LR image for b\.png"):
        TestSet.open("Mine", hr, 4, lr=lr)


def test_folders_without_images(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("no image")
    with pytest.raises(InputError, match=r"Mine: .* holds no images \(1 files\)"):
        TestSet.open("Mine", tmp_path, 4)
    with pytest.raises(InputError, match=r"Mine: .*: no such file"):
        TestSet.open("Mine", tmp_path / "none", 4)
    with pytest.raises(InputError, match=r"Mine: .*: not a directory"):
        TestSet.open("Mine", tmp_path / "readme.txt", 4)


def test_damaged_image_is_named_not_skipped(hr: Path) -> None:
    whole = (hr / "b.png").read_bytes()
    (hr / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"Mine: b\.png: cannot be used \(damaged\)"):
        evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4))


@pytest.mark.parametrize("side", [3, 12])
def test_image_too_small_is_named(side: int, hr: Path) -> None:
    Image.new("RGB", (side, side)).save(hr / "b.png")
    with pytest.raises(InputError, match=r"b\.png"):
        evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4))


def test_gray_is_rgb_three_times(hr: Path) -> None:
    gray = Image.open(hr / "a.png").convert("L")
    gray.save(hr / "a.png")
    Image.merge("RGB", (gray, gray, gray)).save(hr / "c.png")
    quality = evaluate_set(bicubic(4), TestSet.open("Mine", hr, 4))
    assert quality.images[0].psnr_y_db == quality.images[2].psnr_y_db


class _Corner(nn.Module):
    """Nearest neighbour, but brighter to the lower right: not the same in every turn."""

    def forward(self, image: Tensor) -> Tensor:
        ramp = (
            torch.linspace(0, 1, image.shape[-1]) + torch.linspace(0, 2, image.shape[-2])[:, None]
        )
        return torch.nn.functional.interpolate(image * ramp, scale_factor=2.0)


class TestSelfEnsemble:
    def test_is_the_same_in_every_turn(self) -> None:
        ensemble = SelfEnsemble(_Corner())
        image = torch.rand(1, 3, 5, 8, generator=torch.Generator().manual_seed(0))
        y = ensemble(image)
        assert y.shape == (1, 3, 10, 16)
        for turns in range(4):
            for flip in ([], [-1]):
                turned = torch.rot90(image, turns, (-2, -1)).flip(flip)
                expected = torch.rot90(y, turns, (-2, -1)).flip(flip)
                assert torch.allclose(ensemble(turned), expected, atol=1e-6)
        assert not torch.allclose(_Corner()(image), y, atol=1e-2)

    def test_of_a_symmetric_network_is_that_network(self) -> None:
        image = torch.rand(2, 3, 4, 6)
        enlarge = nn.Upsample(scale_factor=2)
        assert torch.allclose(SelfEnsemble(enlarge)(image), enlarge(image), atol=1e-6)


def test_convolutions_are_exact_only_inside() -> None:
    conv = torch.backends.mkldnn.conv  # type: ignore[attr-defined]
    before = conv.fp32_precision
    conv.fp32_precision = "bf16"
    try:
        with exact_convolutions():
            assert conv.fp32_precision == "ieee"
        assert conv.fp32_precision == "bf16"
    finally:
        conv.fp32_precision = before


@pytest.mark.parametrize("workers", [2, 5])
def test_images_at_a_time_change_nothing(workers: int, hr: Path) -> None:
    threads = torch.get_num_threads()
    test_set = TestSet.open("Mine", hr, 4)
    seen: list[str] = []
    several = evaluate_set(
        bicubic(4), test_set, workers=workers, on_image=lambda image, sr: seen.append(image.name)
    )
    assert several == evaluate_set(bicubic(4), test_set)
    assert seen == sorted(SIZES)
    assert torch.get_num_threads() == threads


# The published rows; the LR of an older pipeline explains the rest (docs/published.md).
@pytest.mark.parametrize(
    ("scale", "psnr_db", "ssim"), [(2, 33.66, 0.9299), (3, 30.39, 0.8682), (4, 28.42, 0.8104)]
)
def test_bicubic_on_set5(scale: int, psnr_db: float, ssim: float, sr_data: Path) -> None:
    quality = evaluate_set(bicubic(scale), TestSet.open("Set5", sr_data / "test/Set5", scale))
    assert quality.psnr_y_db == pytest.approx(psnr_db, abs=0.015)
    assert quality.ssim_y == pytest.approx(ssim, abs=0.0008)


# Reference results of independent code under the same protocol.
@pytest.mark.parametrize(
    ("file", "scale", "psnr_db", "ssim"),
    [("IMDN_x2.pth", 2, 37.9960, 0.96049), ("RFDN_AIM.pth", 4, 32.1589, 0.89459)],
)
def test_published_network_on_set5(
    file: str, scale: int, psnr_db: float, ssim: float, sr_data: Path
) -> None:
    test_set = TestSet.open("Set5", sr_data / "test/Set5", scale)
    quality = published_quality(sr_data / "checkpoints" / file, test_set)
    assert quality.psnr_y_db == pytest.approx(psnr_db, abs=0.002)
    assert quality.ssim_y == pytest.approx(ssim, abs=0.00005)


# One image each; benchmarks/published_networks.py has the sets, on which they are the published
# code's figures.
@pytest.mark.parametrize(
    ("file", "psnr_db"),
    [
        ("RLFN_x4.pth", 34.6362),
        ("SPAN28_x4.pth", 34.3671),
        ("DISP_x4.pth", 34.5449),
        ("SPANV2_x4.pth", 34.4929),
    ],
)
def test_published_network_on_bird(file: str, psnr_db: float, sr_data: Path) -> None:
    test_set = TestSet.open("Set5", sr_data / "test/Set5", 4)
    bird = replace(test_set, pairs=tuple(p for p in test_set.pairs if p.name == "bird.png"))
    quality = published_quality(sr_data / "checkpoints" / file, bird)
    assert quality.psnr_y_db == pytest.approx(psnr_db, abs=0.002)


def published_quality(file: Path, test_set: TestSet) -> Quality:
    network = import_checkpoint(file)

    def enlarge(lr: Pixels) -> Pixels:
        return upscale(network, lr, test_set.scale)

    with exact_convolutions():
        return evaluate_set(enlarge, test_set, workers=2)
