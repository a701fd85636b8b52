"""What settings make of whole searches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

import nas
from nas.explore.events import Event, SearchStarted
from search_spaces import Space, price
from search_spaces.smallest import smallest
from tests.nas_tests.explore_tests.made_up import kept, study_of
from tests.nas_tests.explore_tests.small import SMALL, ending


@pytest.mark.parametrize(
    ("sampler", "trials"),
    [("tpe", 10), ("nsga2", 3), ("nsga3", 3), ("gp", 9), ("random", 3)],
)
def test_samplers(sampler: str, trials: int, tmp_path: Path) -> None:
    # TPE and GP begin to model at the ninth trial.
    run = kept(tmp_path, trials, sampler=sampler, rungs=1)
    assert len(run.finished()) == trials
    assert run.finished()["params"].max() <= 40_000


def test_objectives(tmp_path: Path) -> None:
    objectives = ("psnr", "ssim", "macs", "latency")
    run = nas.search(objectives=objectives, trials=2, run=tmp_path, **SMALL)
    trial = study_of(run).best_trials[0]
    record = run.records()[trial.number]
    assert trial.values == [
        record.psnr_y_db, record.ssim_y, record.macs, record.latency_ms
    ]  # fmt: skip


def test_tight_budget(tmp_path: Path) -> None:
    tiny = Space.load("tiny")
    least = price(tiny.architecture(smallest(tiny, lambda arch: price(arch).params, 4))).params
    run = nas.search([f"{least + 200}-params"], trials=2, run=tmp_path, **SMALL)
    assert (run.finished()["params"] <= least + 200).all()
    assert len(run.finished()) >= 1


def test_timeout(tmp_path: Path) -> None:
    events: list[Event] = []
    run = nas.search(trials=500, timeout=0.3, run=tmp_path, observer=events.append, **SMALL)
    assert ending(events).reason == "time is up"
    assert len(run.finished()) < 100


def test_scale_and_folder_of_photos(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for k in range(3):
        noise = torch.randint(0, 256, (80, 96, 3), dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(photos / f"{k}.png")
    (photos / "broken.png").write_bytes(b"no image")
    events: list[Event] = []
    run = nas.search(
        trials=1, scale=2, data=photos, run=tmp_path / "run", observer=events.append, **SMALL
    )
    started = events[0]
    assert isinstance(started, SearchStarted)
    assert sum(started.skipped.values()) == 1
    assert (started.train_photos, started.validation_photos) == (2, 1)
    assert run.records()[0].made_with["data"] == "photos"
