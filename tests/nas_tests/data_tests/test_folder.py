from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from nas.data import image_file
from nas.data.folder import div2k_folders, read_folder
from search_spaces.errors import InputError


def pixels(height: int = 40, width: int = 30, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def save(path: Path, array: NDArray[np.uint8], **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)  # type: ignore[arg-type]
    return path


def one(folder: Path) -> NDArray[np.uint8]:
    (photo,) = read_folder(folder).photos
    return photo.pixels


def save_rgb16(path: Path, size: int = 40) -> None:
    """A 16-bit RGB PNG, written by hand: Pillow cannot."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", size, size, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(6 * size) for _ in range(size)))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "PNG"])
def test_lossless_formats(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    save(tmp_path / f"a.{suffix}", pixels(), **options)
    np.testing.assert_array_equal(one(tmp_path), pixels())


def test_jpeg(tmp_path: Path) -> None:
    save(tmp_path / "a.jpeg", np.full((20, 24, 3), 77, np.uint8), quality=95)
    np.testing.assert_allclose(one(tmp_path).astype(int), np.full((20, 24, 3), 77), atol=1)


def test_a_cameras_jpeg_with_a_preview_appended(tmp_path: Path) -> None:
    image, preview = Image.new("RGB", (24, 20), "red"), Image.new("RGB", (6, 5))
    image.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[preview])
    assert one(tmp_path).shape == (20, 24, 3)


def test_gray_becomes_rgb(tmp_path: Path) -> None:
    gray = pixels()[..., 0]
    save(tmp_path / "a.png", gray)
    np.testing.assert_array_equal(one(tmp_path), np.stack([gray] * 3, axis=-1))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_composited_over_white(tmp_path: Path, mode: str) -> None:
    opaque = Image.fromarray(pixels()).convert(mode[:-1])
    image = opaque.copy()
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 10, image.height))
    image.putalpha(alpha)
    assert image.mode == mode
    image.save(tmp_path / "a.png")
    got = one(tmp_path)
    assert (got[:, :10] == 255).all()
    np.testing.assert_array_equal(got[:, 10:], np.array(opaque.convert("RGB"))[:, 10:])


def test_palette(tmp_path: Path) -> None:
    image = Image.fromarray(pixels()).quantize(16)
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(one(tmp_path), np.array(image.convert("RGB")))


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.fromarray(pixels()).quantize(16)
    # A transparency of bytes is what makes Pillow warn on the conversion to RGB.
    image.save(tmp_path / "a.png", transparency=bytes([0, 128] + [255] * 14))
    hidden = np.array(image) == 0
    assert hidden.any()
    assert (one(tmp_path)[hidden] == 255).all()


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise
    save(tmp_path / "a.png", pixels(), exif=exif)
    np.testing.assert_array_equal(one(tmp_path), np.rot90(pixels(), -1))


def test_bad_files_are_skipped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_file, "MAX_PIXELS", 10_000)
    save(tmp_path / "good.png", pixels())
    truncate(save(tmp_path / "truncated.png", pixels()))
    truncate(save(tmp_path / "truncated.jpg", pixels(90, 90)))
    (tmp_path / "cut_in_header.png").write_bytes((tmp_path / "good.png").read_bytes()[:20])
    Image.fromarray(np.zeros((40, 40), np.uint16)).save(tmp_path / "gray16.png")
    save_rgb16(tmp_path / "rgb16.png")
    Image.new("CMYK", (40, 40)).save(tmp_path / "print.jpg")
    save(tmp_path / "tiny.png", pixels(3, 3))
    save(tmp_path / "huge.png", np.zeros((101, 100, 3), np.uint8))
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "notes.txt").write_text("no image either")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / ".hidden.png").write_text("passed over")
    read = read_folder(tmp_path, min_side_px=16)
    assert [photo.name for photo in read.photos] == ["good.png"]
    assert read.skipped == {
        "16-bit": 2,
        "CMYK": 1,
        "damaged": 3,
        "not an image": 3,
        "too large": 1,
        "too small": 1,
        "unreadable": 1,
    }


TIFFS: dict[str, dict[str, object]] = {
    "plain": {},
    "lzw": {"compression": "tiff_lzw"},
    "deflate": {"compression": "tiff_adobe_deflate"},
    "packbits": {"compression": "packbits"},
}


@pytest.mark.parametrize("kind", TIFFS)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1"])
def test_tiffs(tmp_path: Path, kind: str, mode: str) -> None:
    image = Image.fromarray(pixels()).convert(mode)
    image.save(tmp_path / "a.tif", **TIFFS[kind])  # type: ignore[arg-type]
    (tmp_path / "a.tif").rename(tmp_path / f"a.{'TIFF' if kind == 'lzw' else 'tif'}")
    np.testing.assert_array_equal(one(tmp_path), np.array(image.convert("RGB")))


def test_tiffs_of_other_programs(tmp_path: Path) -> None:
    rgb, kinds = pixels(), dict[str, Any]()
    kinds["big"] = {"bigtiff": True}
    kinds["tiled"] = {"tile": (16, 16)}
    kinds["motorola"] = {"byteorder": ">"}
    for name, options in kinds.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", rgb, photometric="rgb", **options)
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    photos = read_folder(tmp_path).photos
    assert len(photos) == 4
    for photo in photos:
        np.testing.assert_array_equal(photo.pixels, rgb)


def test_tiffs_that_are_no_photos_say_why(tmp_path: Path) -> None:
    save(tmp_path / "good.tiff", pixels())
    gray = pixels()[..., 0]
    Image.new("CMYK", (40, 40)).save(tmp_path / "cmyk.tif")
    made: dict[str, NDArray[Any]] = {
        "gray16": gray.astype(np.uint16),
        "rgb16": pixels().astype(np.uint16),
        "int16": gray.astype(np.int16),
        "gray32": gray.astype(np.uint32),
        "float": gray.astype(np.float32),
        "signed": gray.view(np.int8),
        "rgb_float": pixels().astype(np.float32),
    }
    for name, array in made.items():
        photometric = "rgb" if array.ndim == 3 else "minisblack"
        tifffile.imwrite(tmp_path / f"{name}.tif", array, photometric=photometric)
    assert read_folder(tmp_path).skipped == {
        "16-bit": 3,
        "32-bit": 2,
        "CMYK": 1,
        "signed numbers": 1,
        "unknown kind of TIFF": 1,
    }


def test_damaged_tiffs_are_counted_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "good.tiff", pixels())
    for name, options in TIFFS.items():
        whole = save(tmp_path / f"{name}.tif", pixels(), **options).read_bytes()
        (tmp_path / f"{name}.tif").write_bytes(whole[: len(whole) // 2])
        broken = whole[:300] + bytes(range(256)) * 4 + whole[1324:]
        (tmp_path / f"{name}_broken.tif").write_bytes(broken)
    assert sum(read_folder(tmp_path).skipped.values()) >= 6
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_only_regular_files_are_read(tmp_path: Path) -> None:
    save(tmp_path / "good.png", pixels())
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "linked.tif").symlink_to("pipe.png")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "zeros.png").symlink_to("/dev/zero")
    read = read_folder(tmp_path)
    assert [photo.name for photo in read.photos] == ["good.png"]
    assert read.skipped == {"not a regular file": 3, "unreadable": 1}


def test_a_decompression_bomb_is_skipped(tmp_path: Path) -> None:
    save(tmp_path / "good.png", pixels())
    bomb = bytearray((tmp_path / "good.png").read_bytes())
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
    (tmp_path / "bomb.png").write_bytes(bytes(bomb))
    assert read_folder(tmp_path).skipped == {"too large": 1}


def test_subfolders_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    for number, name in enumerate(["b.png", "a/z.png", "a.png", "c/d/e.bmp", ".git/x.png"]):
        save(tmp_path / name, pixels(seed=number))
    assert [photo.name for photo in read_folder(tmp_path).photos] == [
        "a.png",
        "a/z.png",
        "b.png",
        "c/d/e.bmp",
    ]


def test_memory_cap_keeps_a_subset_drawn_once_and_for_all(tmp_path: Path) -> None:
    for number in range(10):
        save(tmp_path / f"{number}.png", pixels(20, 20, number))
    size = 20 * 20 * 3
    found = read_folder(tmp_path, memory_cap_bytes=4 * size + 5)
    assert [photo.name for photo in found.photos] == ["2.png", "4.png", "6.png", "7.png"]
    assert found.skipped == {"over the memory cap": 6}
    assert read_folder(tmp_path, memory_cap_bytes=10 * size).skipped == {}


def test_progress_counts_up(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.png", pixels())
    calls: list[tuple[int, int]] = []
    read_folder(tmp_path, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_too_few_photos_say_why(tmp_path: Path) -> None:
    save(tmp_path / "tiny.png", pixels(3, 3))
    save(tmp_path / "good.png", pixels())
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(
        InputError,
        match=r"3 files found, 1 usable \(skipped: 1 not an image, 1 too small\); needed:"
        r" at least 2.*16 x 16 pixels",
    ) as caught:
        read_folder(tmp_path, min_side_px=16, at_least=2)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"0 files found, 0 usable; needed: at least 1"):
        read_folder(tmp_path)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: no such file or directory; give a folder"):
        read_folder(tmp_path / "none")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a directory"):
        read_folder(save(tmp_path / "a.png", pixels()))


@pytest.mark.parametrize("below", ["", "DIV2K"])
def test_div2k_layout(tmp_path: Path, below: str) -> None:
    (tmp_path / below / "DIV2K_train_HR").mkdir(parents=True)
    (tmp_path / below / "DIV2K_train_LR_bicubic" / "X4").mkdir(parents=True)
    assert div2k_folders(tmp_path) == (tmp_path / below / "DIV2K_train_HR", None)
    (tmp_path / below / "DIV2K_valid_HR").mkdir()
    assert div2k_folders(tmp_path) == (
        tmp_path / below / "DIV2K_train_HR",
        tmp_path / below / "DIV2K_valid_HR",
    )


def test_no_div2k_layout(tmp_path: Path) -> None:
    (tmp_path / "DIV2K_valid_HR").mkdir()
    assert div2k_folders(tmp_path) is None


def test_reads_the_research_photos(sr_data: Path) -> None:
    read = read_folder(sr_data / "train" / "T91")
    assert len(read.photos) == 90
    assert read.skipped == {}
