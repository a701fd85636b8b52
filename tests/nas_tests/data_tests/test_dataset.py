from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.data import embedded
from nas.data.dataset import Dataset, load_dataset
from nas.data.photo import Photo
from nas.data.places import PhotoPlaces
from search_spaces.errors import InputError


def fill(folder: Path, count: int, *, side: int = 24, first: int = 0) -> Path:
    """``count`` different photos, 0.png and on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        rng = np.random.default_rng(number)
        noise = rng.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    return folder


def load(data: Path | None, validation: Path | None = None, lr_size: int = 8) -> Dataset:
    return load_dataset(2, PhotoPlaces.of(data, validation), lr_size=lr_size)


def names(photos: tuple[Photo, ...]) -> list[str]:
    return [photo.name for photo in photos]


def test_embedded_photos_without_a_folder() -> None:
    dataset = load_dataset(4)
    assert dataset.name == "embedded"
    assert names(dataset.validation) == ["chelsea.png", "coffee.png"]
    assert len(dataset.train) == 6
    assert dataset.skipped == {}
    for photo in (*dataset.train, *dataset.validation):
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape == (photo.height, photo.width, 3)
        assert photo.short_side >= 192
    sizes = {photo.name: photo.pixels.shape[:2] for photo in dataset.train}
    assert sizes["retina.jpg"] == (360, 360)
    assert sizes["motorcycle_left.png"] == (500, 741)
    assert load_dataset(4).fingerprint == dataset.fingerprint
    assert load_dataset(3).fingerprint != dataset.fingerprint


def test_a_missing_embedded_photo_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_skimage_data_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"astronaut\.png cannot be read \(FileNotFoundError\)"):
        load_dataset(4)


def test_a_tenth_of_the_photos_is_set_apart(tmp_path: Path) -> None:
    folder = fill(tmp_path / "photos", 30)
    first = load(folder)
    assert first.name == "photos"
    assert len(first.validation) == 3
    assert sorted(names(first.train) + names(first.validation)) == sorted(
        f"{number}.png" for number in range(30)
    )
    again = load(folder)
    assert names(again.validation) == names(first.validation)
    assert again.fingerprint == first.fingerprint


def test_the_same_photos_judge_whatever_the_patches_and_the_memory(tmp_path: Path) -> None:
    folder = fill(fill(tmp_path, 12, side=40), 18, side=60, first=12)
    found = [load(folder, lr_size=size) for size in (8, 20, 24, 30)]
    found += [load_dataset(2, PhotoPlaces(folder), memory_cap_bytes=cap) for cap in (60_000, 10**9)]
    (judging,) = {tuple(names(one.validation)) for one in found}
    assert len(judging) == 2
    assert [len(one.train) for one in found] == [28, 28, 16, 16, 4, 16]


def test_instead_of_a_damaged_file_another_one_judges(tmp_path: Path) -> None:
    folder = fill(tmp_path, 12)
    (before,) = names(load(folder).validation)
    path = folder / before
    path.write_bytes(path.read_bytes()[:-500])
    found = load(folder)
    assert len(found.validation) == 1
    assert before not in names(found.validation)
    assert found.skipped == {"damaged": 1}


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (4, 1), (204, 20), (230, 20)])
def test_size_of_the_split(tmp_path: Path, count: int, held_out: int) -> None:
    dataset = load(fill(tmp_path, count, side=16))
    assert len(dataset.validation) == held_out
    assert len(dataset.train) == count - held_out


def test_one_photo_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 files found, 1 usable; needed: at least 2"):
        load(fill(tmp_path, 1))


def test_validation_folder(tmp_path: Path) -> None:
    dataset = load(fill(tmp_path / "a", 3), fill(tmp_path / "b", 2, first=10))
    assert dataset.name == "a+val:b"
    assert names(dataset.train) == ["0.png", "1.png", "2.png"]
    assert names(dataset.validation) == ["10.png", "11.png"]


def test_validation_folder_beside_the_embedded_photos(tmp_path: Path) -> None:
    dataset = load(None, fill(tmp_path / "b", 2))
    assert dataset.name == "embedded+val:b"
    assert names(dataset.train) == list(embedded.EMBEDDED_TRAIN)
    assert names(dataset.validation) == ["0.png", "1.png"]


def test_div2k_layout(tmp_path: Path) -> None:
    fill(tmp_path / "DIV2K_train_HR", 3)
    fill(tmp_path / "DIV2K_valid_HR", 2, first=10)
    fill(tmp_path / "DIV2K_train_LR_bicubic" / "X2", 3, first=20)
    dataset = load(tmp_path)
    assert names(dataset.train) == ["0.png", "1.png", "2.png"]
    assert names(dataset.validation) == ["10.png", "11.png"]
    other = load(tmp_path, fill(tmp_path / "other", 1, first=30))
    assert names(other.validation) == ["30.png"]


def test_no_training_photo_is_a_validation_photo(tmp_path: Path) -> None:
    folder = fill(tmp_path / "all" / "train", 4).parent
    fill(folder / "val", 2, first=10)
    dataset = load(folder, folder / "val")
    assert names(dataset.train) == [f"train/{number}.png" for number in range(4)]
    assert dataset.skipped == {"also in validation": 2}
    with pytest.raises(InputError, match="all 4 training photos are validation photos"):
        load(folder / "train", folder / "train")


def test_skipped_counts_of_both_folders_add_up(tmp_path: Path) -> None:
    train = fill(tmp_path / "a", 3)
    fill(train / "small", 2, side=8, first=5)
    held_out = fill(tmp_path / "b", 1, first=9)
    (held_out / "x.png").write_text("no image")
    fill(held_out / "small", 1, side=15, first=12)  # one pixel less than a shaved SSIM window
    assert load(train, held_out).skipped == {"too small": 3, "not an image": 1}


def test_what_judges_leaves_most_of_the_memory(tmp_path: Path) -> None:
    size = 24 * 24 * 3
    train, held_out = fill(tmp_path / "a", 8), fill(tmp_path / "b", 8, first=10)
    dataset = load_dataset(2, PhotoPlaces.of(train, held_out), lr_size=8, memory_cap_bytes=8 * size)
    # What judges does not depend on it.
    assert (len(dataset.train), len(dataset.validation)) == (6, 8)
    assert dataset.skipped == {"over the memory cap": 2}


def test_fingerprint_sees_every_change_but_the_place(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        return load(folder, held_out).fingerprint

    held_out = fill(tmp_path / "val", 1, first=50)
    base = fingerprint(fill(tmp_path / "a", 3))
    assert base == fingerprint(fill(tmp_path / "elsewhere", 3))
    assert len(base) == 16
    assert int(base, 16) >= 0
    renamed = fill(tmp_path / "renamed", 3)
    (renamed / "2.png").rename(renamed / "3.png")
    changed = fill(tmp_path / "changed", 3)
    with Image.open(changed / "1.png") as image:
        pixel = np.array(image)
    pixel[5, 6, 1] ^= 1
    Image.fromarray(pixel).save(changed / "1.png")
    more = fill(tmp_path / "more", 4)
    others = [fingerprint(folder) for folder in (renamed, changed, more)]
    moved = load(held_out, tmp_path / "a").fingerprint
    assert len({base, moved, *others}) == 5


def test_fingerprint_is_pinned(tmp_path: Path) -> None:
    # Searches that are resumed on another machine or version compare it with a stored one.
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        ramp = np.arange(24 * 20 * 3).reshape(24, 20, 3) * (number + 1) % 256
        Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / folder / "ramp.png")
    assert load(tmp_path / "a", tmp_path / "b").fingerprint == "7dc4e6362f8c29e0"


def test_scale_out_of_range() -> None:
    with pytest.raises(InputError, match="scale must be 1, 2, 3 or 4, got 5"):
        load_dataset(5)


def test_named_sets_are_not_trained_on(tmp_path: Path) -> None:
    data = fill(tmp_path / "data", 3)
    sets = {
        "one": fill(tmp_path / "first", 1, first=1),
        "two": fill(tmp_path / "second", 2, first=9),
    }
    found = load_dataset(2, PhotoPlaces(data, sets), lr_size=8)
    assert found.name == "data+val:first+val:second"
    assert list(found.sets) == ["one", "two"]
    assert names(found.validation) == ["1.png"]
    assert names(found.train) == ["0.png", "2.png"]
    assert found.skipped == {"also in validation": 1}
    again = load_dataset(2, PhotoPlaces(data, sets), lr_size=8)
    swapped = dict(reversed(sets.items()))
    other = load_dataset(2, PhotoPlaces(data, swapped), lr_size=8)
    # The first set chooses the best weights, so that their order is part of it.
    assert found.fingerprint == again.fingerprint != other.fingerprint


def test_larger_patches_leave_what_judges_as_it_is(tmp_path: Path) -> None:
    folder = fill(fill(tmp_path, 12), 8, side=40, first=12)
    found = load(folder)
    large = found.for_patches(20)
    assert large.validation == found.validation
    assert {photo.short_side for photo in large.train} == {40}
    assert large.skipped == {"too small": len(found.train) - len(large.train)}
    assert large.fingerprint == found.fingerprint
    assert found.for_patches(8) == found
    with pytest.raises(InputError, match="patches of 42 x 42 pixels are larger than all 18"):
        found.for_patches(21)


def test_research_photos_at_a_quick_patch(sr_data: Path) -> None:
    dataset = load_dataset(4, PhotoPlaces(sr_data / "train" / "T91"), lr_size=16)
    assert len(dataset.train) + len(dataset.validation) + dataset.skipped.get("too small", 0) == 90
    assert len(dataset.validation) == 9


def test_reading_data_does_not_load_torch() -> None:
    code = "import sys, nas.data; sys.exit('torch' in sys.modules or 'skimage' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def fill_lr(hr: Path, lr: Path, scale: int = 2) -> Path:
    """LR of all photos of a folder, darker than HR."""
    for path in hr.glob("*.png"):
        with Image.open(path) as image:
            small = np.array(image)[::scale, ::scale] // 2
        lr.mkdir(exist_ok=True)
        Image.fromarray(small).save(lr / f"{path.stem}x{scale}.png")
    return lr


def test_a_split_of_pairs_keeps_their_lr(tmp_path: Path) -> None:
    hr = fill(tmp_path / "hr", 12)
    lr = fill_lr(hr, tmp_path / "lr")
    (lr / "3x2.png").unlink()
    plain, pairs = load(hr), load_dataset(2, PhotoPlaces(hr, lr=lr), lr_size=8)
    assert pairs.name == "hr+lr:lr"
    assert pairs.fingerprint != plain.fingerprint
    assert pairs.skipped == {"without LR (3.png)": 1}
    assert len(pairs.validation) == 1
    for photo in (*pairs.train, *pairs.validation):
        assert photo.lr is not None
        np.testing.assert_array_equal(photo.lr, photo.pixels[::2, ::2] // 2)


def test_sets_have_lr_of_their_own(tmp_path: Path) -> None:
    hr, more = fill(tmp_path / "hr", 3), fill(tmp_path / "more", 2, first=7)
    lr, more_lr = fill_lr(hr, tmp_path / "lr"), fill_lr(more, tmp_path / "more_lr")
    sets = {"one": more, "two": more}
    found = load_dataset(2, PhotoPlaces(hr, sets, lr, {"one": more_lr}), lr_size=8)
    assert found.name == "hr+lr:lr+val:more+lr:more_lr+val:more"
    own = {name: [photo.lr is not None for photo in some] for name, some in found.sets.items()}
    assert own == {"one": [True, True], "two": [False, False]}


def test_validation_photos_beside_div2k_judge_pairs_with_lr_alone(tmp_path: Path) -> None:
    train = fill(tmp_path / "DIV2K_train_HR", 4)
    beside = fill(tmp_path / "DIV2K_valid_HR", 2, first=9)
    lr, valid_lr = fill_lr(train, tmp_path / "lr"), fill_lr(beside, tmp_path / "valid_lr")
    # What lies there is not taken unasked.
    fill_lr(train, tmp_path / "DIV2K_train_LR_bicubic")
    assert names(load(tmp_path).validation) == ["10.png", "9.png"]
    assert all(photo.lr is None for photo in load(tmp_path).train)
    drawn = load_dataset(2, PhotoPlaces(tmp_path, lr=lr), lr_size=8)
    assert len(drawn.train) == 3
    assert drawn.validation[0].lr is not None
    places = PhotoPlaces.of(tmp_path, lr=lr, val_lr=valid_lr)
    given = load_dataset(2, places, lr_size=8)
    assert names(given.validation) == ["10.png", "9.png"]
    assert given.validation[0].lr is not None


def test_pairs_of_scale_1(tmp_path: Path) -> None:
    hr = fill(tmp_path / "hr", 3)
    found = load_dataset(1, PhotoPlaces(hr, lr=fill_lr(hr, tmp_path / "lr", 1)), lr_size=8)
    assert (found.scale, len(found.train), len(found.validation)) == (1, 2, 1)
    by_chain = load_dataset(1, PhotoPlaces.of(hr, degradation="jpeg"), lr_size=8)
    assert len(by_chain.train) == 2
    with pytest.raises(InputError, match=r"png: at scale 1 .* --degradation"):
        load_dataset(1, PhotoPlaces(hr), lr_size=8)


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (PhotoPlaces.of(lr=Path("lr")), "--lr lr: LR of which photos"),
        (PhotoPlaces.of(Path("."), val_lr=Path("lr")), "--val-lr: LR of which photos"),
        (PhotoPlaces.of(Path("."), Path("v"), Path("lr")), "--val v: .* give it with --val-lr"),
        (
            PhotoPlaces(val={"a": Path("v")}, val_lr={"b": Path("lr")}),
            r"--val-lr lr: .* a --val set \(a\), got 'b'",
        ),
    ],
)
def test_lr_that_belongs_to_nothing(places: PhotoPlaces, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_dataset(2, places)
