from __future__ import annotations

from pathlib import Path

from nas.data.places import PHOTO_FOLDERS, PhotoPlaces
from nas.explore.settings import SearchSettings
from nas.workers.job import WorkerJob

ALL = PhotoPlaces.of(Path("/a"), Path("/b"), Path("/c"), Path("/d"))


def test_what_a_file_says_gives_the_same_places() -> None:
    for places in (ALL, PhotoPlaces(), PhotoPlaces(Path("/a"), lr=Path("/c"))):
        assert PhotoPlaces.of_only_plain({**places.only_plain(), "train": 3}) == places


def test_settings_and_jobs_know_the_folders() -> None:
    assert set(PHOTO_FOLDERS) <= SearchSettings.model_fields.keys()
    job = WorkerJob("memory", "a", **ALL.only_plain())
    assert WorkerJob.from_json(job.to_json()) == job


def test_options() -> None:
    assert ALL.options() == ["--data", "/a", "--lr", "/c", "--val", "/b", "--val-lr", "/d"]
    assert PhotoPlaces.of(val_lr=Path("/d")).options() == ["--val-lr", "/d"]
    assert PhotoPlaces().options() == []


def test_folders_that_have_moved() -> None:
    moved = ALL.moved(PhotoPlaces.of(lr=Path("/x"), val=Path("/y")))
    assert moved == PhotoPlaces.of(Path("/a"), Path("/y"), Path("/x"), Path("/d"))
