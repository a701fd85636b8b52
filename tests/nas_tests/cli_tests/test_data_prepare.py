"""``nas data prepare``, and the commands that train on what it prepares."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import nas
from nas.cli.report.crops import crops
from nas.data.cache_index import INDEX
from tests.nas_tests.conftest import Outcome
from tests.nas_tests.data_tests.mixed_photos import fill

Command = Callable[..., Outcome]


def test_prepare_and_search(command: Command, tmp_path: Path) -> None:
    photos, cache, run = fill(tmp_path / "photos", 12), tmp_path / "cache", tmp_path / "run"
    (photos / "notes.txt").write_text("none")
    done = command("data", "prepare", photos, "--scale", 2, "-o", cache)
    assert done.code == 0, done.err
    assert "12 photos take up to " in done.err
    assert f"12 photos, 1.3 MB in {cache}; " in done.out
    assert "Left out, not an image: 1 file: notes.txt" in done.out
    assert f"--data {cache}" in done.out
    words = ("search", "--budget", "30K-params", "--space", "tiny", "--profile", "smoke", "--scale",
             2, "--run", run, "--data")  # fmt: skip
    found = command(*words, photos, "--trials", 1)
    assert found.code == 0, found.err
    # It is the same search, which goes on.
    found = command(*words, cache, "--trials", 1)
    assert found.code == 0, found.err
    search, gaps = nas.open_run(run), list[str]()
    assert search.about["photos"]["data"] == str(cache)
    assert len(crops(search, search.records(), gaps)) == 1
    assert gaps == []
    again = command("data", "prepare", photos, "--scale", 2, "-o", cache)
    assert "12 of them before" in again.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--scale", 5), "nas: --scale: expected 2, 3 or 4"),
        (("--scale", 2, "--scale", 4, "--lr", "photos"), "nas: --lr and --scale: LR images are"),
        (("--lr", "nowhere"), "nas: photo folder nowhere: no such file"),
    ],
)
def test_what_cannot_be_prepared_is_one_line(
    words: tuple[object, ...], told: str, command: Command, tmp_path: Path
) -> None:
    done = command("data", "prepare", fill(tmp_path / "photos", 2), "-o", tmp_path / "x", *words)
    assert done.code == 2
    assert told in done.err.splitlines()[-1]
    assert not (tmp_path / "x").exists()


def test_a_full_disk_is_one_line(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    done = command("data", "prepare", fill(tmp_path / "photos", 9), "-o", tmp_path / "cache")
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(f"nas: cannot write {tmp_path / 'cache'}: 0.")


def test_half_prepared_photos_are_not_trained_on(command: Command, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    command("data", "prepare", fill(tmp_path / "photos", 3), "-o", cache)
    (cache / INDEX).rename(cache / f"{INDEX}.part")
    done = command("train", "x4-310k", "--data", cache, "--run", tmp_path / "run")
    assert done.code == 2
    assert "its photos are not all prepared yet" in done.err
