from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nas.data.strips import STRIP_PX, PixelFile, Strips, as_strips, strips_bytes
from search_spaces.errors import InputError


def on_disk(path: Path, pixels: np.ndarray, *, behind: int = 0) -> Strips:
    path.write_bytes(bytes(behind) + as_strips(pixels).tobytes())
    assert path.stat().st_size == behind + strips_bytes(*pixels.shape[:2])
    return Strips(PixelFile(path), behind, *pixels.shape[:2])


@pytest.mark.parametrize("width", [1, STRIP_PX - 1, STRIP_PX, STRIP_PX + 1, 3 * STRIP_PX + 5])
def test_slices_are_those_of_the_array(tmp_path: Path, width: int) -> None:
    rng = np.random.default_rng(width)
    pixels = rng.integers(0, 256, (37, width, 3), np.uint8)
    strips = on_disk(tmp_path / "x", pixels, behind=11)
    part, height = strips.top_left(30, max(1, width - 3)), pixels.shape[0]
    assert strips.shape == pixels.shape
    for _ in range(30):
        top, bottom = sorted(rng.integers(0, height + 1, 2).tolist())
        left, right = sorted(rng.integers(0, width + 1, 2).tolist())
        where = np.s_[top:bottom, left:right]
        np.testing.assert_array_equal(strips[where], pixels[where])
        np.testing.assert_array_equal(part[where], pixels[:30, : max(1, width - 3)][where])
        strips.fetch(top, left, min(bottom - top, right - left))
    np.testing.assert_array_equal(strips[:, :], pixels)


def test_a_file_that_is_cut_off_meanwhile(tmp_path: Path) -> None:
    strips = on_disk(tmp_path / "x", np.zeros((40, 200, 3), np.uint8))
    with (tmp_path / "x").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(InputError, match=r"x: cut off at byte 1000; prepare the photos again"):
        strips[:, :]
