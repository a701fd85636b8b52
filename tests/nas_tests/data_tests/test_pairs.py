from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.data.aligned import aligned
from nas.data.folder import MISFITS
from nas.data.pairs import paired_folder, partners
from search_spaces.errors import InputError


def save(path: Path, height: int, width: int, value: int = 0, **more: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.full((height, width, 3), value, np.uint8))
    image.save(path, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("0001.png", "0001.png"),
        ("0001.png", "0001.jpg"),
        ("0001.png", "0001x4.png"),
        ("0001.png", "0001_x4.png"),
        ("0001.png", "0001-X4.bmp"),
        ("0001.png", "0001_4x.png"),
        ("0001.png", "0001_lr.png"),
        ("0001.png", "0001LRx4.png"),
        ("0001.png", "0001_LR.png"),
        ("0001.png", "0001_LRBI_x4.png"),
        ("0001.png", "0001_bicubic.png"),
        ("sub/a_HR.png", "sub/a.png"),
        ("sub/a_HR_x4.png", "sub/a_LR_x4.png"),
        ("a_gt.png", "a_x4.webp"),
        ("img_001_SRF_4_HR.png", "img_001_SRF_4_LR.png"),
        ("a.b.png", "a.b.png"),
        ("ballr.png", "ballr.png"),
    ],
)
def test_names_that_belong_together(hr: str, lr: str) -> None:
    assert partners([hr, "other.png"], ["0002.png", lr], 4) == {hr: lr}


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("0001.png", "0001x2.png"),
        ("0001.png", "0002.png"),
        ("sub/a.png", "a.png"),
        ("0001.png", "x4.png"),
        ("0001.png", "00011.png"),
        ("1.png", "14.png"),
    ],
)
def test_names_that_do_not(hr: str, lr: str) -> None:
    assert partners([hr], [lr], 4) == {}


def test_the_nearer_name_comes_first() -> None:
    assert partners(["a.png", "a_lr.png"], ["a_lr.png", "a_lr_lr.png"], 2) == {
        "a_lr.png": "a_lr.png"
    }
    assert partners(["a.png", "a_HR.png"], ["a_LR.png", "a.png"], 2) == {
        "a.png": "a.png",
        "a_HR.png": "a_LR.png",
    }


def test_what_has_no_partner_is_counted_and_named(tmp_path: Path) -> None:
    hr, lr = tmp_path / "hr", tmp_path / "lr"
    for name in ("a", "sub/b", "c", "d", "e", "f", "g"):
        save(hr / f"{name}.png", 20, 24)
    save(hr / "wide.png", 21, 25)
    for name in ("a", "sub/b", "wide"):
        save(lr / f"{name}x2.jpg", 10, 12)
    save(lr / "c.png", 10, 13)
    save(lr / "z.png", 10, 12)
    (lr / "notes.txt").write_text("made with a script")
    files = paired_folder(hr, lr, 2)
    read = files.read()
    assert [photo.name for photo in read.photos] == ["a.png", "sub/b.png", "wide.png"]
    for photo in read.photos:
        assert aligned(photo, 2).hr.shape == (20, 24, 3)
    assert read.skipped == {
        f"{MISFITS} (c.png)": 1,
        "LR without HR (z.png)": 1,
        "not an image (of LR)": 1,
        "without LR (d.png, e.png, f.png, ...)": 4,
    }


def test_turned_photos_are_compared_as_they_are_seen(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "hr/a.jpg", 20, 24, exif=exif)
    save(tmp_path / "hr/b.jpg", 20, 24, exif=exif)
    save(tmp_path / "lr/a.png", 12, 10)
    save(tmp_path / "lr/b.png", 10, 12)
    read = paired_folder(tmp_path / "hr", tmp_path / "lr", 2).read()
    (photo,) = read.photos
    assert photo.lr is not None
    assert (photo.pixels.shape[:2], photo.lr.shape[:2]) == ((24, 20), (12, 10))
    assert read.skipped == {MISFITS: 1}


def test_damaged_lr_is_left_out(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"hr/{name}.png", 20, 24)
        save(tmp_path / f"lr/{name}.png", 10, 12)
    Image.effect_noise((12, 10), 50).convert("RGB").save(tmp_path / "lr/a.png")
    whole = (tmp_path / "lr/a.png").read_bytes()
    (tmp_path / "lr/a.png").write_bytes(whole[: len(whole) // 2])
    read = paired_folder(tmp_path / "hr", tmp_path / "lr", 2).read()
    assert [photo.name for photo in read.photos] == ["b.png"]
    assert read.skipped == {"damaged (of LR)": 1}


def test_the_cap_counts_both(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"hr/{name}.png", 20, 24)
        save(tmp_path / f"lr/{name}.png", 10, 12)
    files = paired_folder(tmp_path / "hr", tmp_path / "lr", 2)
    both = 2 * 3 * (20 * 24 + 10 * 12)
    assert len(files.read(memory_cap_bytes=both).photos) == 2
    assert len(files.read(memory_cap_bytes=both - 1).photos) == 1


def test_no_pair_at_all(tmp_path: Path) -> None:
    save(tmp_path / "hr/a.png", 20, 24)
    save(tmp_path / "lr/a.png", 5, 6)
    save(tmp_path / "others/b.png", 10, 12)
    with pytest.raises(InputError) as sizes:
        paired_folder(tmp_path / "hr", tmp_path / "lr", 2)
    for part in ("2 times as large", "a.png is 24 x 20", "LR a.png is 6 x 5", "scale 2"):
        assert part in str(sizes.value)
    with pytest.raises(InputError, match=r"name of an HR image .* for a.png: a.png, ax2.png or"):
        paired_folder(tmp_path / "hr", tmp_path / "others", 2)
