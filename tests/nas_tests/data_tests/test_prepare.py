"""Preparing photos survives whatever stops it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas.data import prepare as room
from nas.data.cache import is_cache
from nas.data.cache_index import INDEX, UNFINISHED
from nas.data.prepare import Prepared, plan, prepare
from nas.locks import FLAGS, take
from search_spaces.errors import InputError
from tests.nas_tests.data_tests.mixed_photos import fill


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos, and a cache of them that nothing disturbed; read only."""
    folder = tmp_path_factory.mktemp("prepared")
    fill(folder / "photos", 9)
    (folder / "photos/notes.txt").write_text("none")
    whole = (folder / "photos/4.png").read_bytes()
    (folder / "photos/4.png").write_bytes(whole[: len(whole) // 2])
    made = prepare(plan(folder / "photos", folder / "cache", scales=[2]))
    assert (made.photos, made.before) == (8, 0)
    return folder


def contents(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cache.iterdir()}


def again(place: Path, cache: Path, **more: Any) -> Prepared:
    return prepare(plan(place / "photos", cache, scales=[2]), **more)


def finished(place: Path, cache: Path) -> Prepared:
    """Goes on, to what is there without a stop."""
    done = again(place, cache)
    assert contents(cache) == contents(place / "cache")
    assert done.photos == 8
    assert done.left_out == {"damaged": 1, "not an image": 1}
    return done


@pytest.mark.parametrize("after", [1, 5, 9])
def test_it_goes_on_after_an_interruption(place: Path, tmp_path: Path, after: int) -> None:
    def stop(done: int, of: int) -> None:
        assert of == 9
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again(place, tmp_path / "cache", progress=stop)
    with pytest.raises(InputError, match="not all prepared yet; the command"):
        is_cache(tmp_path / "cache")
    seen = list[int]()
    assert again(place, tmp_path / "cache", progress=lambda done, of: seen.append(done)).before >= (
        after - 1
    )
    assert seen == list(range(after + 1, 10))
    finished(place, tmp_path / "cache")


# Ends of a process, and of power: lines that are cut, pixels without a line and pixels that the
# disk has not got though the line is there.
@pytest.mark.parametrize(
    ("lines_share", "pixels_share"),
    [(0.0, 0.5), (0.1, 1.0), (0.5, 1.0), (0.5, 0.6), (1.0, 1.0), (1.0, 0.4), (0.9, 0.0)],
)
def test_nothing_that_is_cut_counts(
    place: Path, tmp_path: Path, lines_share: float, pixels_share: float
) -> None:
    cache = Path(shutil.copytree(place / "cache", tmp_path / "cache"))
    (cache / INDEX).rename(cache / UNFINISHED)
    for name, share in ((UNFINISHED, lines_share), ("hr.pixels", pixels_share)):
        whole = (cache / name).read_bytes()
        (cache / name).write_bytes(whole[: int(len(whole) * share)] + b"\x07" * 5)
    finished(place, cache)


def test_a_full_disk_loses_nothing(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = 0

    def write(file: int, content: memoryview, at: int) -> int:
        nonlocal written
        if written > 150_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        # In parts, as a disk does that is nearly full.
        written += min(len(content), 40_000)
        return real(file, content[:40_000], at)

    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", write)
    with pytest.raises(OSError, match="No space left") as error:
        again(place, tmp_path / "cache")
    assert Path(error.value.filename).parent == tmp_path / "cache"
    monkeypatch.setattr(os, "pwrite", real)
    finished(place, tmp_path / "cache")


def test_too_small_a_disk_is_told_before(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(OSError, match=r"GB are needed, 0.0 GB are free"):
        again(place, tmp_path / "new/cache")
    assert list(tmp_path.iterdir()) == []
    # What is there already needs no more room.
    assert again(place, place / "cache").before == 8


def test_the_plan_holds_the_bytes(place: Path) -> None:
    planned = plan(place / "photos", place / "cache", scales=[2])
    assert planned.files == 9
    assert planned.nbytes >= sum(path.stat().st_size for path in (place / "cache").glob("*.pixels"))


def test_what_is_ready_is_left_alone(place: Path) -> None:
    before = contents(place / "cache")
    done = again(place, place / "cache")
    assert (done.photos, done.before) == (8, 8)
    assert done.named == {"damaged": ["4.png"], "not an image": ["notes.txt"]}
    assert contents(place / "cache") == before


def test_other_photos_or_scales_begin_anew_by_force(place: Path, tmp_path: Path) -> None:
    cache, photos = tmp_path / "cache", fill(tmp_path / "photos", 5)
    first = plan(photos, cache, scales=[2, 3])
    prepare(first)
    os.utime(photos / "2.png", ns=(1, 1))
    with pytest.raises(InputError, match="prepared from other files or for other scales"):
        prepare(plan(photos, cache, scales=[2, 3]))
    with pytest.raises(InputError, match="--force to prepare it anew"):
        prepare(plan(photos, cache, scales=[2]))
    prepare(plan(photos, cache, scales=[2]), fresh=True)
    assert sorted(contents(cache)) == ["hr.pixels", "lr_x2.pixels", INDEX]
    # The same of one that is not finished.
    (cache / INDEX).rename(cache / UNFINISHED)
    with pytest.raises(InputError, match="begun from other folders or for other scales"):
        prepare(plan(photos, cache, scales=[3]))
    (photos / "1.png").unlink()
    with pytest.raises(InputError, match=r"begun with other files in .*photos \(1.png\); --force"):
        prepare(plan(photos, cache, scales=[2]))


def test_two_at_once(place: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    file = os.open(cache / UNFINISHED, FLAGS)
    assert take(file)
    with pytest.raises(InputError, match="another process prepares it"):
        again(place, cache)
    os.close(file)
    finished(place, cache)


def _others(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").touch()


@pytest.mark.parametrize("there", [Path.touch, _others])
def test_other_things_stay(place: Path, tmp_path: Path, there: Callable[[Path], None]) -> None:
    there(tmp_path / "cache")
    for fresh in (False, True):
        with pytest.raises(InputError, match="is there already and holds other things"):
            again(place, tmp_path / "cache", fresh=fresh)


def test_no_photo_at_all(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    with pytest.raises(InputError, match=r"no photo that can be used \(left out: nothing\)"):
        plan(photos, tmp_path / "cache")
    fill(photos, 1)
    (photos / "sub/0.png").write_bytes((photos / "sub/0.png").read_bytes()[:-400])
    with pytest.raises(InputError, match=r"no photo that can be used \(left out: 1 damaged\)"):
        prepare(plan(photos, tmp_path / "a/cache"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


@pytest.mark.parametrize("scales", [(), (4, 4), (1,), (5,)])
def test_scales_that_are_none(tmp_path: Path, scales: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="--scale: expected 2, 3 or 4, each once"):
        plan(tmp_path, tmp_path / "cache", scales=scales)


def test_little_is_under_way_at_a_time(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_AHEAD_BYTES", 1)
    under_way = most = 0
    decoded = room._decoded

    def counted(*given: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        found = decoded(*given)
        under_way -= 1
        return found

    monkeypatch.setattr(room, "_decoded", counted)
    files = plan(place / "photos", place / "cache", scales=[2]).folders[0][0]
    assert len(list(room._made(files, list(files.headers), [2]))) == 9
    assert most == 1
