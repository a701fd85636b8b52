"""Photos prepared on disk are to everybody what the photos themselves are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nas.data import Patches, load_dataset
from nas.data.aligned import aligned
from nas.data.cache import VALIDATION, is_cache, open_cache
from nas.data.cache_index import INDEX
from nas.data.dataset import Dataset
from nas.data.degradations import load_chain
from nas.data.places import PhotoPlaces
from nas.data.prepare import plan, prepare
from nas.data.shrunk import with_shrunk
from nas.data.stored import StoredPhoto
from search_spaces.errors import InputError
from tests.nas_tests.data_tests.mixed_photos import fill


def spoil(folder: Path) -> None:
    """Files that cannot be used: one by its name, one by its header, one by its pixels."""
    (folder / "notes.txt").write_text("made by")
    (folder / "11.png").write_bytes(b"\x89PNG")
    whole = (folder / "10.png").read_bytes()
    (folder / "10.png").write_bytes(whole[: len(whole) // 2])


def same(one: Dataset, other: Dataset) -> None:
    assert (one.name, one.fingerprint) == (other.name, other.fingerprint)
    assert one.skipped == other.skipped
    assert [p.name for p in one.train] == [p.name for p in other.train]
    assert {k: [p.name for p in v] for k, v in one.sets.items()} == {
        k: [p.name for p in v] for k, v in other.sets.items()
    }
    for mine, theirs in zip(
        (*one.train, *one.validation), (*other.train, *other.validation), strict=True
    ):
        assert (mine.height, mine.width) == (theirs.height, theirs.width)
        assert mine.digests() == theirs.digests()
        for ours, its in zip(aligned(mine, one.scale), aligned(theirs, one.scale), strict=True):
            np.testing.assert_array_equal(ours, its)


def same_batches(one: Dataset, other: Dataset) -> None:
    mine, theirs = (
        Patches(data.train, data.scale, lr_size=9, batch=7, seed=3) for data in (one, other)
    )
    for step in (0, 1, 2, 7, 2**40):
        for part in (slice(None), slice(3, 6)):
            for left, right in zip(mine.batch(step, part), theirs.batch(step, part), strict=True):
                assert torch.equal(left, right)
                assert left.stride() == right.stride()


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_patches_split_and_fingerprint_are_those_of_the_folder(tmp_path: Path, scale: int) -> None:
    photos, cache = fill(tmp_path / "photos", 14), tmp_path / "cache"
    spoil(photos)
    done = prepare(plan(photos, cache, scales=[4, 2, 3]))
    assert (done.photos, done.before) == (12, 0)
    assert done.left_out == {"damaged": 1, "not an image": 2}
    assert done.named == {"damaged": ["10.png"], "not an image": ["11.png", "notes.txt"]}
    assert done.nbytes == sum(file.stat().st_size for file in cache.glob("*.pixels"))
    from_disk, from_memory = (
        load_dataset(scale, PhotoPlaces(place), lr_size=9) for place in (cache, photos)
    )
    assert all(isinstance(photo, StoredPhoto) for photo in from_disk.train)
    assert not any(isinstance(photo, StoredPhoto) for photo in from_disk.validation)
    assert sum(photo.nbytes for photo in from_disk.train) == 0
    assert with_shrunk(from_disk.train, (0.5,), 1) == from_disk.train
    same(from_disk, from_memory)
    same_batches(from_disk, from_memory)


@pytest.mark.parametrize(("name", "scale"), [("jpeg", 1), ("jpeg", 2), ("real_esrgan", 2)])
def test_chains_make_the_same_lr_of_photos_on_disk(tmp_path: Path, name: str, scale: int) -> None:
    photos, cache, chain = fill(tmp_path / "photos", 4), tmp_path / "cache", load_chain(name)
    prepare(plan(photos, cache, scales=[2]))
    on_disk, in_memory = (
        load_dataset(scale, PhotoPlaces(place, degradation=chain), lr_size=9)
        for place in (cache, photos)
    )
    same(on_disk, in_memory)
    same_batches(on_disk, in_memory)


def test_no_photo_to_train_on_is_in_memory_whatever_the_cap(tmp_path: Path) -> None:
    photos, cache = fill(tmp_path / "photos", 12), tmp_path / "cache"
    prepare(plan(photos, cache, scales=[2]))
    found = load_dataset(2, PhotoPlaces(cache), lr_size=9, memory_cap_bytes=1)
    same(found, load_dataset(2, PhotoPlaces(photos), lr_size=9))
    assert len(found.train) == 11


def test_pairs_of_ones_own(tmp_path: Path) -> None:
    photos, lr, cache = fill(tmp_path / "hr", 12), tmp_path / "lr", tmp_path / "cache"
    for path in photos.rglob("*.png"):
        with Image.open(path) as image:
            pixels = np.array(image)
        target = lr / path.relative_to(photos)
        target.parent.mkdir(parents=True, exist_ok=True)
        small = pixels[: pixels.shape[0] // 2, : pixels.shape[1] // 2]
        # Turned as its HR is.
        Image.fromarray(255 - small).save(target, exif=image.getexif())
    (lr / "2.png").unlink()
    done = prepare(plan(photos, cache, lr=lr, scales=[2]))
    assert done.left_out == {"without LR (2.png)": 1}
    from_disk, from_memory = (
        load_dataset(2, places, lr_size=9)
        for places in (PhotoPlaces(cache), PhotoPlaces(photos, lr=lr))
    )
    assert all(photo.lr is not None for photo in (*from_disk.train, *from_disk.validation))
    same(from_disk, from_memory)
    same_batches(from_disk, from_memory)
    with pytest.raises(InputError, match="prepared with their LR; leave out"):
        load_dataset(2, PhotoPlaces(cache, lr=lr))
    with pytest.raises(InputError, match="these photos have LR, which --degradation jpeg would"):
        load_dataset(2, PhotoPlaces(cache, degradation=load_chain("jpeg")))
    with pytest.raises(InputError, match="LR images are of one scale"):
        plan(photos, cache, lr=lr, scales=[2, 4])


def test_div2k_keeps_its_validation_photos(tmp_path: Path) -> None:
    home, cache = tmp_path / "data", tmp_path / "cache"
    fill(home / "DIV2K/DIV2K_train_HR", 6)
    fill(home / "DIV2K/DIV2K_valid_HR", 3, first=20)
    done = prepare(plan(home, cache, scales=[2]))
    assert done.photos == 9
    assert is_cache(cache / VALIDATION)
    from_disk, from_memory = (
        load_dataset(2, PhotoPlaces(place), lr_size=9) for place in (cache, home)
    )
    assert len(from_disk.validation) == 3
    same(from_disk, from_memory)
    others = fill(tmp_path / "others", 4, first=40)
    # To judge by: those of DIV2K that judge, as of its folder.
    same(*(load_dataset(2, PhotoPlaces.of(others, place), lr_size=9)
           for place in (home, home)))  # fmt: skip
    judged = load_dataset(2, PhotoPlaces.of(others, cache), lr_size=9)
    assert [p.name for p in judged.validation] == [p.name for p in from_memory.validation]


def test_a_scale_that_is_not_there(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    prepare(plan(fill(tmp_path / "photos", 4), cache, scales=[2, 3]))
    with pytest.raises(InputError, match="LR for x2, x3, not for x4; prepare them with --scale 4"):
        load_dataset(4, PhotoPlaces(cache))
    # Those that judge are read whole, and their LR is made of that.
    judging = PhotoPlaces.of(tmp_path / "photos", cache)
    with pytest.raises(InputError, match="all 4 training photos are validation photos"):
        load_dataset(4, judging, lr_size=4)


def _shorter(cache: Path) -> None:
    with (cache / "hr.pixels").open("r+b") as file:
        file.truncate(100)


def _other_format(cache: Path) -> None:
    first, *more = (cache / INDEX).read_text().splitlines(keepends=True)
    plain = json.loads(first) | {"format": 7}
    (cache / INDEX).write_text("".join([json.dumps(plain) + "\n", *more]))


def _torn(cache: Path) -> None:
    (cache / INDEX).write_bytes((cache / INDEX).read_bytes()[:-30])


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_shorter, r"hr.pixels: 100 bytes, expected \d+; prepare"),
        (lambda cache: (cache / "lr_x2.pixels").unlink(), "lr_x2.pixels: no such file"),
        (_other_format, "format 7, expected 1; prepare them again"),
        (_torn, r"photos.jsonl: damaged at line \d; prepare"),
    ],
)
def test_damage_is_one_line(tmp_path: Path, harm: Callable[[Path], None], told: str) -> None:
    cache = tmp_path / "cache"
    prepare(plan(fill(tmp_path / "photos", 4), cache, scales=[2]))
    harm(cache)
    with pytest.raises(InputError, match=told):
        load_dataset(2, PhotoPlaces(cache))


def test_a_file_of_that_name_makes_no_cache(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    (tmp_path / INDEX).write_text('{"kind": "mine"}\n')
    assert not is_cache(tmp_path)
    assert len(load_dataset(2, PhotoPlaces(tmp_path), lr_size=9).train) == 2
    prepare(plan(tmp_path, tmp_path.with_name("cache"), scales=[2]))
    assert len(open_cache(tmp_path.with_name("cache")).headers) == 3
