from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.data.split import load_photos
from search_spaces.errors import InputError


def write(folder: Path, names: list[str], side: int = 32) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        rng = np.random.default_rng([ord(letter) for letter in name])
        pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")


def test_the_last_photos_by_name_are_set_apart(tmp_path: Path) -> None:
    write(tmp_path / "few", [f"{n:02}" for n in range(23)])
    few = load_photos(tmp_path / "few", {}, scale=2, lr_size=8)
    assert [photo.name for photo in few.sets["validation"]] == ["21.png", "22.png"]
    assert len(few.train) == 21
    write(tmp_path / "many", [f"{n:03}" for n in range(230)], 16)
    many = load_photos(tmp_path / "many", {}, scale=2, lr_size=8)
    assert [photo.name for photo in many.sets["validation"]] == [
        f"{n}.png" for n in range(210, 230)
    ]


def test_named_sets_are_not_trained_on(tmp_path: Path) -> None:
    write(tmp_path / "data", ["a", "b", "c"])
    write(tmp_path / "first", ["b"])
    write(tmp_path / "second", ["x", "y"])
    sets = {"one": tmp_path / "first", "two": tmp_path / "second"}
    found = load_photos(tmp_path / "data", sets, scale=2, lr_size=8)
    assert list(found.sets) == ["one", "two"]
    assert [photo.name for photo in found.train] == ["a.png", "c.png"]
    assert found.skipped == {"also in validation": 1}
    swapped = dict(reversed(sets.items()))
    again = load_photos(tmp_path / "data", sets, scale=2, lr_size=8)
    other = load_photos(tmp_path / "data", swapped, scale=2, lr_size=8)
    # The first set chooses the best weights, so that their order is part of it.
    assert found.fingerprint == again.fingerprint != other.fingerprint


def test_photos_smaller_than_a_patch_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "data", ["a", "b", "c"])
    write(tmp_path / "data", ["small"], 16)
    found = load_photos(tmp_path / "data", {}, scale=2, lr_size=16)
    assert found.skipped == {"too small": 1}
    with pytest.raises(InputError, match="needed: at least 2"):
        load_photos(tmp_path / "data", {}, scale=2, lr_size=17)
    with pytest.raises(InputError, match="--val mine: photo folder"):
        load_photos(tmp_path / "data", {"mine": tmp_path / "no"}, scale=2, lr_size=8)
