from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from PIL import Image

from nas.upscale.image_io import read_image
from nas.upscale.image_writer import Header, write_image
from search_spaces.errors import InputError

MOST = 10**6
Pixels = np.ndarray[Any, np.dtype[Any]]


def noise(channels: int, bits: int, height: int = 200, width: int = 37) -> Pixels:
    rng = np.random.default_rng(2)
    kind = np.uint8 if bits == 8 else np.uint16
    flat = rng.integers(0, 2**bits, (height, width, channels)).astype(kind)
    # Smooth parts, too: each of the filters has rows on which it is best.
    flat[: height // 2] = np.arange(width, dtype=kind)[:, None] * 3
    flat[height // 2 :][:20] = np.arange(height - height // 2, dtype=kind)[:20, None, None] * 5
    return flat


def written(path: Path, file_format: str, pixels: Pixels, **extra: Any) -> Path:
    height, width, channels = pixels.shape
    header = Header(height, width, channels, pixels.dtype.itemsize * 8, **extra)
    write_image(path, file_format, header, (pixels[k : k + 70] for k in range(0, height, 70)))
    return path


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_what_is_written_is_read(suffix: str, channels: int, bits: int, tmp_path: Path) -> None:
    pixels = noise(channels, bits)
    if suffix == ".tif" and channels == 2:
        pytest.skip("Pillow reads no gray TIFF with alpha")
    path = written(tmp_path / f"a{suffix}", "PNG" if suffix == ".png" else "TIFF", pixels)
    found = read_image(path, MOST)
    assert found.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(found.pixels, pixels)
    with Image.open(path) as image:
        image.load()
        assert image.size == (37, 200)


@pytest.mark.parametrize("height", [3, 64, 129])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiffs_are_what_another_reader_expects(channels: int, height: int, tmp_path: Path) -> None:
    pixels = noise(channels, 16, height=200)[-height:]
    path = written(tmp_path / "a.tif", "TIFF", pixels, icc_profile=b"a profile of some length")
    with tifffile.TiffFile(path) as file:
        tags = file.pages.first.tags
        assert (tags["Compression"].value, tags["Predictor"].value) == (8, 2)
        assert len(file.pages) == 1
        np.testing.assert_array_equal(file.asarray().reshape(pixels.shape), pixels)
        assert bytes(tags["InterColorProfile"].value) == b"a profile of some length"


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_sixteen_bit_tiffs(compression: str | None, tmp_path: Path) -> None:
    pixels = noise(1, 16)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "g.tif", compression=compression)
    np.testing.assert_array_equal(read_image(tmp_path / "g.tif", MOST).pixels, pixels)
    byteorders: tuple[Literal["<", ">"], ...] = ("<", ">")
    for byteorder in byteorders:
        rgb = noise(3, 16)
        tifffile.imwrite(tmp_path / "c.tif", rgb, photometric="rgb", byteorder=byteorder,
                         compression="zlib" if compression else None)  # fmt: skip
        np.testing.assert_array_equal(read_image(tmp_path / "c.tif", MOST).pixels, rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(orientation: int, tmp_path: Path) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112], exif[271] = orientation, "a maker"
    original = Image.fromarray(noise(3, 8, 6, 9))
    original.save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    found = read_image(tmp_path / "a.png", MOST)
    np.testing.assert_array_equal(found.pixels, upright)
    path = written(tmp_path / "b.png", "PNG", found.pixels, exif=found.exif)
    again = read_image(path, MOST)
    np.testing.assert_array_equal(again.pixels, upright)
    assert again.exif is not None
    assert (again.exif[0x0112], again.exif[271]) == (1, "a maker")


def test_palettes_and_transparency(tmp_path: Path) -> None:
    rgba = noise(4, 8)
    Image.fromarray(rgba[..., :3]).quantize(8).save(tmp_path / "p.png", transparency=0)
    assert read_image(tmp_path / "p.png", MOST).pixels.shape == (200, 37, 4)
    Image.fromarray(rgba[..., 0] > 99).save(tmp_path / "1.png")
    assert set(np.unique(read_image(tmp_path / "1.png", MOST).pixels)) == {0, 255}
    frames = [Image.fromarray(noise(3, 8) + k) for k in range(3)]
    frames[0].save(tmp_path / "m.tif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "m.tif", MOST).notes == ("the first of 3 frames or pages",)


def test_profiles_go_with_the_image(tmp_path: Path) -> None:
    for name, file_format in (("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.webp", "WEBP")):
        path = written(tmp_path / name, file_format, noise(3, 8), icc_profile=b"profile" * 30)
        assert read_image(path, MOST).icc_profile == b"profile" * 30


def bomb(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data)
        )  # fmt: skip

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b""))


def text(path: Path) -> None:
    path.write_text("no image")


def cut(path: Path) -> None:
    Image.fromarray(noise(3, 8)).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:2000])


def cmyk(path: Path) -> None:
    Image.fromarray(noise(3, 8)).convert("CMYK").save(path, "TIFF")


def floats(path: Path) -> None:
    Image.fromarray(noise(1, 8)[..., 0].astype(np.float32)).save(path, "TIFF")


def signed(path: Path) -> None:
    """A gray TIFF of one row whose tag 339 says that its bytes are signed."""
    tags = [
        (256, 8),
        (257, 1),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 0),
        (278, 1),
        (279, 8),
        (339, 2),
    ]
    tags[5] = (273, 8 + 2 + 12 * len(tags) + 4)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4 + 8))


def loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (bomb, "60000 x 60000 pixels are more than the 1 megapixels allowed"),
        (text, "not an image that can be read; expected PNG, JPEG, WebP, TIFF or BMP"),
        (cut, "damaged ("),
        (cmyk, "CMYK; expected gray or RGB"),
        (floats, "32-bit pixels; expected 8 or 16 bits"),
        (lambda path: None, "cannot be read (No such file or directory)"),
        (Path.mkdir, "cannot be read (Is a directory)"),
        (signed, "signed numbers for pixels; expected unsigned ones"),
        (loop, "cannot be read (Too many levels of symbolic links)"),
        (os.mkfifo, "cannot be read (a named pipe, not a regular file)"),
    ],
)
def test_bad_files(make: Callable[[Path], None], told: str, tmp_path: Path) -> None:
    path, before = tmp_path / "a.png", Image.MAX_IMAGE_PIXELS
    make(path)
    with pytest.raises(InputError) as caught:
        read_image(path, MOST)
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_libtiff_and_pillow_say_nothing_themselves(
    compression: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(noise(3, 8)).save(path, compression=compression)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:400] + bytes(range(256)) + whole[656:]):
        path.write_bytes(damaged)
        with suppress(InputError):
            read_image(path, MOST)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("file_format", "header", "told"),
    [
        ("JPEG", Header(9, 9, 4, 8), "has no alpha channel; choose --format png, webp or tiff"),
        ("BMP", Header(9, 9, 2, 8), "has no alpha channel"),
        ("WEBP", Header(9, 9, 3, 16), "has no 16 bits a channel; choose --format png or tiff"),
        ("WEBP", Header(9, 20_000, 3, 8), "20000 x 9 pixels, WEBP holds 16383 a side"),
        ("JPEG", Header(20_000, 20_000, 3, 8), "made in memory up to 256 megapixels"),
    ],
)
def test_what_a_format_cannot_hold(
    file_format: str, header: Header, told: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        write_image(tmp_path / "a", file_format, header, iter(()))
    assert told in str(caught.value)
    assert not list(tmp_path.iterdir())
