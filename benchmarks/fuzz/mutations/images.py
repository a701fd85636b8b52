"""Image files of every kind: sound ones, unusual ones, and some whose headers lie."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.materials.pictures import FORMATS, pixels
from benchmarks.fuzz.mutations.places import displaced
from benchmarks.fuzz.mutations.raw import broken

__all__ = ["write_image"]

_MODES = {
    "PNG": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "I"),
    "JPEG": ("L", "RGB", "CMYK", "YCbCr"),
    "WEBP": ("RGB", "RGBA", "L"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F", "RGBX"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "GIF": ("P", "L"),
    "PPM": ("L", "RGB", "I;16"),
}
_SIDES = (1, 2, 3, 7, 16, 40)


def write_image(rng: random.Random, folder: Path, stem: str) -> tuple[Path, str]:
    """Writes an image that may be broken; returns where and what it is."""
    kind = rng.random()
    if kind < 0.15:
        which = rng.choice(tuple(_CRAFTED))
        content, ending, what = _CRAFTED[which](rng), Path(which).suffix, which
    else:
        content, ending, what = _drawn(rng)
        if kind > 0.45:
            content, how = broken(rng, content)
            what = f"{what}, {how}"
    if rng.random() < 0.1:
        ending = rng.choice(
            (*FORMATS.values(), ".JPG", ".jpeg", ".tiff", ".gif", ".txt", ".pdf", "")
        )
    path = folder / f"{stem}{ending}"
    path.write_bytes(content)
    if rng.random() < 0.06:
        what = displaced(rng, path)
    return path, f"{path.name}: {what}"


def _drawn(rng: random.Random) -> tuple[bytes, str, str]:
    """Through Pillow: any format, mode, size, and what may stand beside the pixels."""
    name = rng.choice((*FORMATS, *FORMATS, "GIF", "PPM"))
    mode = rng.choice(_MODES[name])
    width, height = rng.choice(_SIDES), rng.choice(_SIDES)
    image = _image(rng, mode, width, height)
    options, told = _options(rng, name, image)
    buffer = io.BytesIO()
    try:
        image.save(buffer, name, **options)
    except Exception:  # Pillow has many words for what a format cannot hold
        buffer = io.BytesIO()
        _image(rng, "RGB", width, height).save(buffer, name)
        mode, told = "RGB", ""
    ending = FORMATS.get(name, ".gif" if name == "GIF" else ".ppm")
    return buffer.getvalue(), ending, f"{name} {mode} {width}x{height}{told}"


def _image(rng: random.Random, mode: str, width: int, height: int) -> Any:
    import numpy as np
    from PIL import Image

    if mode in ("I;16", "I", "F"):
        values = pixels(rng, height, width, kind=np.uint16)
        if mode == "F" and rng.random() < 0.5:
            return Image.fromarray(values.astype(np.float32) * float("nan"))
        return Image.fromarray(
            values if mode == "I;16" else values.astype(np.int32 if mode == "I" else np.float32)
        )
    image = Image.fromarray(pixels(rng, height, width, 3))
    if mode == "PA":
        return image.convert("P").convert("PA")
    if mode == "LAB":
        return Image.merge("LAB", image.split())
    return image.convert(mode)


def _options(rng: random.Random, name: str, image: Any) -> tuple[dict[str, Any], str]:
    """What is to be saved beside the pixels."""
    from PIL import Image

    choices: dict[str, Callable[[], dict[str, Any]]] = {
        "": dict,
        " with a profile of colours": lambda: {
            "icc_profile": rng.randbytes(rng.choice((0, 10, 4000)))
        },
        " turned by its EXIF": lambda: {"exif": _turned(rng.choice((1, 3, 6, 8, 0, 9, 77)))},
        " with broken EXIF": lambda: {"exif": b"Exif\0\0" + rng.randbytes(40)},
        " of several frames": lambda: {
            "save_all": True,
            "append_images": [image, Image.new(image.mode, (3, 3))],
            "duration": 10,
        },
        " interlaced or progressive": lambda: {"interlace": 1, "progressive": True},
        " with a transparent colour": lambda: {"transparency": 0},
        " at an odd resolution": lambda: {"dpi": (0.001, 1e6)},
        " compressed": lambda: (
            {
                "compression": rng.choice(
                    (
                        "tiff_lzw",
                        "tiff_deflate",
                        "packbits",
                        "jpeg",
                        "group4",
                        "tiff_adobe_deflate",
                        "lzma",
                    )
                )
            }
            if name == "TIFF"
            else {"quality": 1}
        ),
        " lossless": lambda: {"lossless": True},
    }
    told = rng.choice(tuple(choices))
    return choices[told](), told


def _turned(orientation: int) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _png(
    width: int,
    height: int,
    depth: int = 8,
    colour: int = 2,
    *,
    data: bytes = b"",
    more: bytes = b"",
) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels_ = _chunk(b"IDAT", data or zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + header + more + pixels_ + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bmp(width: int, height: int, bits: int, *, colours: int = 0, offset: int = 54) -> bytes:
    head = struct.pack("<2sIHHI", b"BM", 60, 0, 0, offset)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, 0, 1, 1, colours, 0)
    return head + info + b"\0" * 64


def _tiff(
    tags: list[tuple[int, int, int, int]], data: bytes = b"\0" * 64, big: bool = False
) -> bytes:
    """A little-endian TIFF of one directory: (tag, type, count, value) each."""
    entries = b"".join(
        struct.pack("<HHII", *(v & 0xFFFFFFFF if k > 1 else v for k, v in enumerate(tag)))
        for tag in tags
    )
    start = 8 + len(data)
    return (
        b"II*\0"
        + struct.pack("<I", start)
        + data
        + struct.pack("<H", len(tags))
        + entries
        + b"\0" * 4
    )


def _tiff_of(
    width: int,
    height: int,
    *,
    bits: int = 8,
    compression: int = 1,
    photometric: int = 1,
    strip: int = 8,
    samples: int = 1,
    sample: int = 1,
) -> bytes:
    return _tiff(
        [
            (256, 4, 1, width),
            (257, 4, 1, height),
            (258, 3, 1, bits),
            (259, 3, 1, compression),
            (262, 3, 1, photometric),
            (273, 4, 1, strip),
            (277, 3, 1, samples),
            (278, 4, 1, height),
            (279, 4, 1, 64),
            (339, 3, 1, sample),
        ]
    )


_CRAFTED: dict[str, Callable[[random.Random], bytes]] = {
    "zero wide.png": lambda rng: _png(0, 5),
    "65,000 square.png": lambda rng: _png(65_000, 65_000),
    "two billion wide.png": lambda rng: _png(2**31 - 1, 1),
    "700 square, all of it.png": lambda rng: _png(
        700, 700, 1, 0, data=zlib.compress(b"\0" * (700 * 89), 9)
    ),
    "a text that unpacks to 200 MB.png": lambda rng: _png(
        2,
        2,
        data=zlib.compress(b"\0" * 14),
        more=_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 200_000_000, 1)),
    ),
    "a profile that unpacks to 200 MB.png": lambda rng: _png(
        2,
        2,
        data=zlib.compress(b"\0" * 14),
        more=_chunk(b"iCCP", b"a\0\0" + zlib.compress(b"x" * 200_000_000, 1)),
    ),
    "3 bits a pixel.png": lambda rng: _png(4, 4, 3, 0),
    "a palette that is missing.png": lambda rng: _png(4, 4, 8, 3),
    "no pixels.png": lambda rng: _png(4, 4, data=zlib.compress(b"")),
    "pixels that are no deflate.png": lambda rng: _png(4, 4, data=rng.randbytes(50)),
    "more pixels than promised.png": lambda rng: _png(
        2, 2, data=zlib.compress(b"\0" * 50_000_000, 1)
    ),
    "16 bits with alpha.png": lambda rng: _png(
        4, 4, 16, 6, data=zlib.compress(rng.randbytes(1) * (4 * 33))
    ),
    "zero high.bmp": lambda rng: _bmp(4, 0, 24),
    "upside down.bmp": lambda rng: _bmp(2, -2, 24),
    "minus two billion.bmp": lambda rng: _bmp(-(2**31), -(2**31), 32),
    "60,000 square.bmp": lambda rng: _bmp(60_000, 60_000, 24),
    "4 billion colours.bmp": lambda rng: _bmp(4, 4, 8, colours=2**32 - 1),
    "pixels behind the end.bmp": lambda rng: _bmp(4, 4, 24, offset=2**31),
    "60,000 square.tif": lambda rng: _tiff_of(60_000, 60_000),
    "zero.tif": lambda rng: _tiff_of(0, 0),
    "64 bits.tif": lambda rng: _tiff_of(4, 2, bits=64, sample=3),
    "3 bits.tif": lambda rng: _tiff_of(4, 4, bits=3),
    "an unknown compression.tif": lambda rng: _tiff_of(
        4, 4, compression=rng.choice((0, 6, 99, 34712, 50000))
    ),
    "an unknown meaning.tif": lambda rng: _tiff_of(
        8, 8, photometric=rng.choice((3, 5, 8, 9, 32803))
    ),
    "a strip behind the end.tif": lambda rng: _tiff_of(8, 8, strip=2**31),
    "signed.tif": lambda rng: _tiff_of(8, 8, sample=2),
    "of 5 samples.tif": lambda rng: _tiff_of(3, 3, samples=5),
    "a directory that is its own next.tif": lambda rng: b"II*\0\x08\0\0\0\0\0\x08\0\0\0" * 3,
    "text.png": lambda rng: b"hello\n",
    "page.jpg": lambda rng: b"<html><body>404</body></html>",
    "drawing.png": lambda rng: b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "EPS.jpg": lambda rng: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(canary) (w) file\n",
    "zeros.webp": lambda rng: b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 60,
    "16,383 square.webp": lambda rng: (
        b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\x0f" + b"\0" * 8
    ),
    "65,500 square.jpg": lambda rng: (
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9"
    ),
    "markers only.jpg": lambda rng: b"\xff\xd8" + b"\xff\xd9" * 9,
}
