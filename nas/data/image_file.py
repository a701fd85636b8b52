"""Reading one image file that may be anything: 8-bit RGB pixels, or the reason why not."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from nas.data.decoders import quiet_decoders
from search_spaces.errors import InputError
from search_spaces.regular import open_regular

__all__ = [
    "FORMATS", "MAX_PIXELS", "PNG_BIT_DEPTH_AT", "TIFF_BITS", "TIFF_SAMPLE_FORMAT", "Header",
    "SkippedFile", "decode_rgb", "probe", "read_rgb",
]  # fmt: skip

MAX_PIXELS = 100_000_000
"""Larger images are skipped: few photos and many decompression bombs have as many pixels."""

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
"""File name endings and the formats behind them, as Pillow names those."""

PNG_BIT_DEPTH_AT = 24
TIFF_BITS, TIFF_SAMPLE_FORMAT = 258, 339
_UNSIGNED = 1
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class SkippedFile(Exception):
    """The file is to be left out; the message is the reason to count it under."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of an image file says.

    Attributes:
        size: height and width in pixels, as stored: EXIF may say that it is to be turned.
    """

    size: tuple[int, int]

    @property
    def short_side_px(self) -> int:
        """The shorter side."""
        return min(self.size)

    @property
    def rgb_bytes(self) -> int:
        """Bytes as 8-bit RGB."""
        return 3 * self.size[0] * self.size[1]


def probe(path: Path) -> Header:
    """What the file's header says.

    Raises:
        SkippedFile: that it cannot be used.
    """
    with _opened(path) as image:
        return Header((image.height, image.width))


def decode_rgb(path: Path) -> NDArray[np.uint8]:
    """The file's pixels, uint8, shape (height, width, 3), as a viewer would show them.

    Gray and palette become RGB, the EXIF orientation is applied, transparent pixels are
    composited over white, and of an animation the first frame is taken.

    Raises:
        SkippedFile: the file cannot be used.
    """
    with _opened(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.has_transparency_data:
            # Pixels hidden by alpha hold anything, often noise: never train on what nobody sees.
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image.convert("RGBA"))
        return np.array(image.convert("RGB"))


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """The same where a file cannot be left out: a test set without one is another test set.

    Raises:
        InputError: the file cannot be used.
    """
    try:
        return decode_rgb(path)
    except SkippedFile as reason:
        raise InputError(
            f"cannot be used ({reason}); expected an 8-bit gray or RGB image"
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image with its header read and found usable; every failure becomes a SkippedFile."""
    if path.suffix.lower() not in FORMATS:
        raise SkippedFile("not an image")
    quiet_decoders()
    try:
        file = open_regular(path)
    except OSError as error:
        irregular = error.errno == errno.EINVAL
        raise SkippedFile("not a regular file" if irregular else "unreadable") from error
    try:
        with file:
            head = file.read(PNG_BIT_DEPTH_AT + 1)
            file.seek(0)
            with Image.open(file, formats=sorted({*FORMATS.values()})) as image:
                _check(image, head)
                yield image
    except SkippedFile:
        raise
    except UnidentifiedImageError as error:
        # Pillow knows some kinds of TIFF only, and cannot say which it does not.
        is_tiff = head.startswith(_TIFF_MAGIC)
        raise SkippedFile("unknown kind of TIFF" if is_tiff else "not an image") from error
    except Image.DecompressionBombError as error:
        raise SkippedFile("too large") from error
    # Pillow's decoders meet damaged files with OSError, SyntaxError, ValueError, struct.error,
    # zlib.error, IndexError and more; one bad file must not end the reading of a thousand.
    except Exception as error:
        raise SkippedFile("damaged") from error


def _check(image: Image.Image, head: bytes) -> None:
    tags = getattr(image, "tag_v2", {})
    if image.width * image.height > MAX_PIXELS:
        raise SkippedFile("too large")
    if image.mode == "CMYK":
        raise SkippedFile("CMYK")
    bits = 8
    # Pillow opens 16-bit RGB as 8-bit without a word.
    if image.format == "PNG":
        bits = head[-1]
    elif image.format == "TIFF":
        bits = max(tags.get(TIFF_BITS, (1,)))
    if bits > 16:
        raise SkippedFile(f"{bits}-bit")
    if bits > 8 or image.mode.startswith(("I", "F")):
        raise SkippedFile("16-bit")
    if any(one != _UNSIGNED for one in tags.get(TIFF_SAMPLE_FORMAT, ())):
        raise SkippedFile("signed numbers")
