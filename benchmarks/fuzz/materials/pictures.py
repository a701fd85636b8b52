"""Pixels and pictures of every kind that Pillow writes, and some that no program should."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FORMATS", "pixels", "write_photos"]

FORMATS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp"}
"""Name in Pillow -> ending."""


def pixels(
    rng: random.Random, height: int, width: int, *more: int, kind: Any = np.uint8
) -> npt.NDArray[Any]:
    """Squares of noise, (height, width, *more), over all values of an integer type."""
    dice = np.random.default_rng(rng.getrandbits(32))
    top = np.iinfo(kind).max
    small = dice.integers(0, int(top) + 1, (height // 5 + 1, width // 5 + 1, *more), kind)
    return small.repeat(5, 0).repeat(5, 1)[:height, :width]


def write_photos(folder: Path) -> None:
    """Four photos, just large enough for the longest profiles' patches."""
    from PIL import Image

    folder.mkdir()
    rng = random.Random(0)
    for number in range(4):
        Image.fromarray(pixels(rng, 100, 108, 3)).save(folder / f"{number}.png")
