"""Photos of several sizes in a folder and a subfolder, some of which EXIF turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["fill"]


def fill(folder: Path, count: int, *, first: int = 0) -> Path:
    """``count`` different photos, 0.png and on."""
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        height, width = (int(side) for side in rng.integers(50, 180, 2))
        path = folder / f"{'sub/' * (number % 3 == 0)}{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        exif = Image.Exif()
        if number % 4 == 1:
            exif[0x0112] = 6
        Image.fromarray(pixels).save(path, exif=exif)
    return folder
