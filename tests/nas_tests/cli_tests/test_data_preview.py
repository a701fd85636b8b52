from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.cli.data.sheet import laid_out
from nas.data import Patches, load_dataset
from nas.data.places import PhotoPlaces
from tests.guide_files import tiny_photos
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    tiny_photos(tmp_path / "photos")
    return tmp_path / "photos"


def test_a_picture_of_what_is_trained_on(photos: Path, command: Command, tmp_path: Path) -> None:
    words = ("data", "preview", "--data", photos, "--scale", 2, "--patch", 33, "--samples", 3)
    done = command(*words, "--degradation", "jpeg", "-o", tmp_path / "a.png")
    assert (done.code, done.err) == (0, "Photos photos+by:jpeg: 3 to train on\n")
    assert "3 patches, HR 32 x 32 pixels at the left, LR 16 x 16 at the right" in done.out
    # The first one, as a training has it.
    places = PhotoPlaces.of(photos, degradation="jpeg")
    dataset = load_dataset(2, places, lr_size=16)
    batch = Patches(dataset.train, 2, lr_size=16, batch=3, seed=0).batch(0)
    layout = laid_out([("JPEG 1",)] * 3, 32)
    left, top = layout.cells[0]
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    side = 32 * layout.zoom
    assert sheet.shape == (layout.size[1], layout.size[0], 3)
    shown = sheet[top : top + side, left : left + side]
    np.testing.assert_array_equal(shown[:: layout.zoom, :: layout.zoom], _image(batch.hr[0]))
    right = sheet[top : top + side, left + 2 * side + 6 - side : left + 2 * side + 6]
    step = 2 * layout.zoom
    np.testing.assert_array_equal(right[::step, ::step], _image(batch.lr[0]))


def _image(patch: object) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(patch).transpose(1, 2, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "a.jpg"), "--output: expected a name in .png, got a.jpg"),
        (("-o", "a.png", "--patch", 3), "--patch: expected at least 4, got 3"),
        (("-o", "a.png", "--samples", 0), "--samples: expected 1 to 100, got 0"),
        (("-o", "a.png", "--patch", 120), "pixels or more"),
    ],
)
def test_what_cannot_be_drawn(
    words: tuple[object, ...], told: str, photos: Path, command: Command
) -> None:
    done = command("data", "preview", "--data", photos, *words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_texts_are_broken_and_rows_make_room_for_them() -> None:
    long = tuple(f"shot noise {k}" for k in range(20))
    layout = laid_out([("JPEG 3",), long, (), long, long], 128)
    assert layout.zoom == 2
    assert len({left for left, _ in layout.cells}) == 2
    assert layout.texts[0] == ("JPEG 3",)
    assert ", ".join(long) == " ".join(layout.texts[1])
    assert len(layout.texts[1]) > 3
    assert layout.texts[2] == ()
    tops = [top for _, top in layout.cells]
    assert tops[0] == tops[1] < tops[2] == tops[3] < tops[4]
    # All of the last text is on the sheet.
    assert layout.size[1] >= tops[4] + 256 + 19 * len(layout.texts[4])
