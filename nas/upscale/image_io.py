"""Reading an image file for enlargement: all channels, all bits, and what belongs to it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from nas.data.decoders import quiet_decoders
from nas.data.image_file import FORMATS, PNG_BIT_DEPTH_AT, TIFF_BITS, TIFF_SAMPLE_FORMAT
from search_spaces.errors import InputError
from search_spaces.regular import open_regular

__all__ = ["ImageFile", "Pixels", "read_image"]

Pixels = npt.NDArray[np.uint8 | np.uint16]

_ORIENTATION, _EXIF_IFD, _EXIF_WIDTH, _EXIF_HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003
# Orientation, description, maker, model, software, date, artist, copyright, EXIF, GPS.
_DESCRIPTIVE = {0x0112, 270, 271, 272, 305, 306, 315, 33432, 0x8769, 0x8825}
_TIFF_PLANES, _SIGNED = 284, 2
_PLAIN_MODES = ("L", "LA", "RGB", "RGBA")


@dataclass(frozen=True, slots=True, eq=False)
class ImageFile:
    """A decoded image, upright.

    Attributes:
        pixels: (h, w, C), uint8 or uint16; C is 1 (gray), 2 (gray, alpha), 3 or 4.
        format: as Pillow names it.
        exif: its EXIF data, of which the orientation has been applied.
        icc_profile: its colour profile as it stands in the file.
        notes: what was left out, one line each.
    """

    pixels: Pixels
    format: str
    exif: Image.Exif | None = None
    icc_profile: bytes | None = None
    notes: tuple[str, ...] = ()


def read_image(path: Path, most_pixels: int) -> ImageFile:
    """The image in a file; of several frames or pages, the first.

    Palettes become RGB, transparency becomes alpha, 16 bits stay 16 bits, and the EXIF
    orientation is applied.

    Args:
        path: PNG, JPEG, WebP, TIFF or BMP, whatever its name.
        most_pixels: a file whose header promises more is not decoded.

    Raises:
        InputError: no such file, no image, damaged, too large, CMYK, or more than 16 bits.
    """
    with _opened(path, most_pixels) as image:
        # Looking for EXIF may decode a PNG, after which its tiles are forgotten.
        bits, packed = _bits(path, image), _rawmode(image)
        notes = []
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            notes.append(f"the first of {frames} frames or pages")
        file_format, icc = str(image.format), image.info.get("icc_profile")
        exif = _described(image)
        orientation = exif.get(_ORIENTATION, 1)
        pixels = _deep(path, image, packed) if bits == 16 else _plain(image)
    pixels = np.ascontiguousarray(_upright(pixels, orientation))
    _forget_geometry(exif)
    return ImageFile(pixels, file_format, exif if len(exif) else None, icc, tuple(notes))


@contextmanager
def _opened(path: Path, most_pixels: int) -> Iterator[Image.Image]:
    quiet_decoders()
    before = Image.MAX_IMAGE_PIXELS
    # Our own limit stands in place of Pillow's, which raises at one size and warns at another.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            open_regular(path) as file,
            Image.open(file, formats=sorted({*FORMATS.values()})) as image,
        ):
            if image.width * image.height > most_pixels:
                raise InputError(
                    f"{image.width} x {image.height} pixels are more than the "
                    f"{most_pixels / 1e6:g} megapixels allowed (a decompression bomb?); "
                    f"raise --max-megapixels if the file is to be trusted"
                )
            yield image
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except UnidentifiedImageError:
        raise InputError(
            f"{path}: not an image that can be read; expected PNG, JPEG, WebP, TIFF or BMP"
        ) from None
    except OSError as error:
        # Pillow's own, of damaged files, have no number.
        if error.errno is None:
            raise InputError(_damaged(path, error)) from None
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected an image") from None
    # Pillow's decoders meet damaged files with nearly every exception there is.
    except Exception as error:
        raise InputError(_damaged(path, error)) from None
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _damaged(path: Path, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"{path}: damaged ({reason}); expected a whole image file"


def _bits(path: Path, image: Image.Image) -> int:
    """8 or 16; Pillow opens 16-bit RGB as 8-bit without a word."""
    bits = 8
    if image.format == "PNG":
        with open_regular(path) as file:
            bits = file.read(PNG_BIT_DEPTH_AT + 1)[-1]
    elif image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        bits = max(tags.get(TIFF_BITS, (8,)))
        if any(one == _SIGNED for one in tags.get(TIFF_SAMPLE_FORMAT, ())):
            raise InputError("signed numbers for pixels; expected unsigned ones")
    if image.mode == "CMYK":
        raise InputError("CMYK; expected gray or RGB: convert it first")
    if bits > 16 or image.mode == "F":
        raise InputError(f"{bits}-bit pixels; expected 8 or 16 bits a channel")
    return 16 if bits == 16 else 8


def _plain(image: Image.Image) -> Pixels:
    if image.mode == "1":
        image = image.convert("L")
    elif image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("L", "LA") else "RGBA")
    elif image.mode not in _PLAIN_MODES:
        image = image.convert("RGB")
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _deep(path: Path, image: Image.Image, packed: str) -> Pixels:
    """16-bit pixels; what Pillow only gives in 8 bits is read once for each byte."""
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if getattr(image, "tag_v2", {}).get(_TIFF_PLANES, 1) != 1:
        raise InputError("16-bit TIFF with separate planes; expected interleaved channels")
    if packed == "LA;16B":
        both = _unpacked(path, "RGBA", "RGBA").astype(np.uint16)
        return _joined(both[..., 0::2], both[..., 1::2])
    mode = packed.partition(";")[0]
    if mode not in ("RGB", "RGBA") or packed.partition(";")[2] not in ("16B", "16L", "16N"):
        raise InputError(f"16-bit pixels of the kind {packed!r}; expected gray, RGB or RGBA")
    # "16B" takes each pair's first byte, "16L" its second.
    first = _unpacked(path, mode, f"{mode};16B").astype(np.uint16)
    second = _unpacked(path, mode, f"{mode};16L").astype(np.uint16)
    little = packed.endswith("16L") or (packed.endswith("16N") and sys.byteorder == "little")
    return _joined(second, first) if little else _joined(first, second)


def _joined(high: npt.NDArray[np.uint16], low: npt.NDArray[np.uint16]) -> Pixels:
    return np.bitwise_or(np.left_shift(high, np.uint16(8)), low)


def _rawmode(image: Any) -> str:
    args = image.tile[0].args if image.tile else ""
    return str(args[0] if isinstance(args, tuple) else args)


def _unpacked(path: Path, mode: str, rawmode: str) -> npt.NDArray[np.uint8]:
    with open_regular(path) as file, Image.open(file) as opened:
        image: Any = opened
        image._mode = mode
        image.tile = [
            tile._replace(
                args=(rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode
            )
            for tile in image.tile
        ]
        return np.array(image, np.uint8)


def _upright(pixels: Pixels, orientation: object) -> Pixels:
    """EXIF orientation 1..8 applied; other values mean nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _described(image: Image.Image) -> Image.Exif:
    exif = image.getexif()
    if image.format == "TIFF":
        # A TIFF's EXIF is its whole directory: how its pixels are stored is not ours to keep.
        for tag in exif.keys() - _DESCRIPTIVE:
            del exif[tag]
    return exif


def _forget_geometry(exif: Image.Exif) -> None:
    """Takes out what is true of the small, lying image only."""
    if _ORIENTATION in exif:
        exif[_ORIENTATION] = 1
    # Asking for a directory that is not there would make an empty one.
    inner = exif.get_ifd(_EXIF_IFD) if _EXIF_IFD in exif else {}
    for tag in (_EXIF_WIDTH, _EXIF_HEIGHT):
        inner.pop(tag, None)
