from __future__ import annotations

from pathlib import Path

import pytest

from nas.data.degradations import load_chain
from nas.data.places import PHOTO_FOLDERS, PhotoPlaces
from nas.explore.settings import SearchSettings
from nas.workers.job import WorkerJob
from search_spaces.errors import InputError

CHAIN = load_chain("jpeg")
ALL = PhotoPlaces.of(Path("/a"), Path("/b"), Path("/c"), Path("/d"))


def test_what_a_file_says_gives_the_same_places() -> None:
    some = (
        ALL,
        PhotoPlaces(),
        PhotoPlaces(Path("/a"), lr=Path("/c")),
        PhotoPlaces.of(degradation=CHAIN),
    )
    for places in some:
        by = places.to_plain()["degradation"]
        plain = {**places.only_plain(), "train": 3, "degradation": by}
        assert PhotoPlaces.of_only_plain(plain) == places


def test_a_degradation_that_a_file_tells_is_checked() -> None:
    with pytest.raises(InputError, match=r"photos: degradation: steps\.0\.jpeg\.quality: expected"):
        PhotoPlaces.of_only_plain(
            {"degradation": {"name": "a", "steps": [{"jpeg": {"quality": 300}}]}}
        )


def test_a_degradation_has_a_name_and_takes_the_place_of_lr() -> None:
    named = PhotoPlaces.of(Path("/a"), Path("/b"), None, Path("/d"), "jpeg")
    assert named.name == "a+by:jpeg+val:b+lr:d"
    assert PhotoPlaces.of(Path("/a"), degradation="bicubic").name == "a"
    PhotoPlaces.of(Path("/a"), Path("/b"), None, Path("/d"), "jpeg").check()
    with pytest.raises(InputError, match="--lr /c: these photos have LR, which --degradation jpeg"):
        PhotoPlaces.of(Path("/a"), lr=Path("/c"), degradation="jpeg").check()


def test_settings_and_jobs_know_the_folders() -> None:
    assert set(PHOTO_FOLDERS) <= SearchSettings.model_fields.keys()
    job = WorkerJob("memory", "a", **ALL.only_plain())
    assert WorkerJob.from_json(job.to_json()) == job


def test_options() -> None:
    assert ALL.options() == ["--data", "/a", "--lr", "/c", "--val", "/b", "--val-lr", "/d"]
    assert PhotoPlaces.of(val_lr=Path("/d")).options() == ["--val-lr", "/d"]
    assert PhotoPlaces.of(degradation=CHAIN).options() == ["--degradation", "jpeg"]
    assert PhotoPlaces.of(degradation="bicubic").options() == PhotoPlaces().options() == []


def test_folders_that_have_moved() -> None:
    moved = ALL.moved(PhotoPlaces.of(lr=Path("/x"), val=Path("/y")))
    assert moved == PhotoPlaces.of(Path("/a"), Path("/y"), Path("/x"), Path("/d"))
    assert PhotoPlaces.of(degradation=CHAIN).moved(PhotoPlaces()).degradation == CHAIN
