"""Pairs of HR and LR images of one's own, from the search to the evaluation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml
from PIL import Image

import nas
from nas.audit.settings import AuditSettings
from nas.audit.trainers import make_trainers, proxy_recipe
from nas.cli.inherited import inherited_photos
from nas.cli.report.crops import crops
from nas.data.places import PhotoPlaces
from nas.explore.events import Event, SearchStarted
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Outcome

Command = Callable[..., Outcome]
SAME: Any = {"space": "tiny", "profile": "smoke", "scale": 2}


class Place(NamedTuple):
    """A search on pairs; read only."""

    run: Path
    hr: Path
    lr: Path
    bicubic_db: float
    skipped: dict[str, int]


def make_pairs(hr: Path, lr: Path, count: int, seed: int) -> None:
    """Photos of squares, and LR that is dark."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = rng.integers(0, 256, (14, 14, 3), dtype=np.uint8)
        name = f"scene {number // 4}/{number}"
        for folder, side, factor in ((hr, 8, 1), (lr, 4, 2)):
            pixels = np.kron(coarse, np.ones((side, side, 1), np.uint8)) // factor
            path = folder / f"{name}{'' if folder == hr else 'x2'}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, own_lock: Path) -> Place:
    folder = tmp_path_factory.mktemp("pairs")
    hr, lr = folder / "hr", folder / "lr"
    make_pairs(hr, lr, 8, 0)
    (lr / "scene 1/7x2.png").unlink()
    events: list[Event] = []
    run = nas.search(
        "30K-params", space="tiny", profile="smoke", trials=2, scale=2, data=hr, lr=lr,
        run=folder / "run", observer=events.append,
    )  # fmt: skip
    started = events[0]
    assert isinstance(started, SearchStarted)
    return Place(run.folder, hr, lr, run.about["bicubic"]["psnr_y_db"], started.skipped)


def test_a_search_judges_pairs_by_their_lr(place: Place) -> None:
    assert place.bicubic_db < 15
    assert place.skipped == {"without LR (scene 1/7.png)": 1}
    about = nas.open_run(place.run).about
    assert about["identity"]["data"] == "hr+lr:lr"
    assert (about["photos"]["data"], about["photos"]["lr"]) == (str(place.hr), str(place.lr))
    # It goes on, and LR is part of what must be the same.
    again = nas.search("30K-params", trials=2, data=place.hr, lr=place.lr, **SAME, run=place.run)
    assert len(again.records()) == 2
    with pytest.raises(InputError, match="data"):
        nas.search("30K-params", trials=2, data=place.hr, **SAME, run=place.run)


def test_training_goes_on_with_the_pairs(place: Place, command: Command, tmp_path: Path) -> None:
    val, val_lr = tmp_path / "val", tmp_path / "val_lr"
    make_pairs(val, val_lr, 2, 5)
    short = ("--recipe", "smoke", "--steps", "2", "--no-tensorboard", "--json", "--run")
    done = command("train", place.run, *short, tmp_path / "full")
    assert done.code == 0, done.err
    started = json.loads(done.out.splitlines()[0])
    assert started["bicubic_psnr_y_db"] == {"validation": pytest.approx(place.bicubic_db)}
    assert f"their LR {place.lr}" in "\n".join(started["notes"])
    about = yaml.safe_load((tmp_path / "full/train.yaml").read_text())
    assert about["photos"]["lr"] == str(place.lr)
    known = inherited_photos([tmp_path / "full/best.safetensors"], PhotoPlaces())[0]
    assert known == PhotoPlaces(place.hr, lr=place.lr)
    # Sets by name, one of them with LR of its own; a single one needs no name.
    sets = ("--val", f"a={val}", "--val", f"b={val}", "--val-lr", f"a={val_lr}")
    done = command("train", place.run, *sets, *short, tmp_path / "sets")
    assert done.code == 0, done.err
    found = json.loads(done.out.splitlines()[0])["bicubic_psnr_y_db"]
    assert found["a"] < found["b"] - 5
    known = inherited_photos([tmp_path / "sets/best.safetensors"], PhotoPlaces())[0]
    assert known == PhotoPlaces(place.hr, {"a": val, "b": val}, place.lr, {"a": val_lr})
    done = command("train", place.run, *sets[:4], "--val-lr", val_lr, *short, tmp_path / "no")
    assert done.code == 2
    assert "--val-lr" in done.err
    assert "NAME=FOLDER with one of a, b" in done.err


def test_compression_judges_on_the_pairs(
    place: Place, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quantize(network: Any, train: Any, judging: Any, *_: Any, **__: Any) -> None:
        raise InputError(f"LR: {all(photo.lr is not None for photo in (*train, *judging))}")

    monkeypatch.setattr("compress.quantize.quantize", quantize)
    done = command("compress", "quantize", place.run, "-o", tmp_path / "net.onnx")
    assert f"bicubic on validation {place.bicubic_db:.3f} dB" in done.err
    assert "LR: True" in done.err
    words = ("compress", "quantize", place.run / "best.safetensors", "-o", tmp_path / "net.onnx")
    done = command(*words, "--data", place.hr, "--lr", tmp_path)
    assert done.code == 2
    assert "no LR image in" in done.err


def test_an_audit_finds_the_pairs(place: Place, tmp_path: Path) -> None:
    run = nas.open_run(place.run)
    recipe = proxy_recipe(run)
    make_trainers(run, recipe, recipe.steps, AuditSettings())(0)
    moved = Path(shutil.copytree(place.lr, tmp_path / "lr"))
    make_trainers(run, recipe, recipe.steps, AuditSettings(moved=PhotoPlaces(lr=moved)))(0)
    with Image.open(moved / "scene 0/0x2.png") as image:
        changed = np.array(image) // 2
    Image.fromarray(changed).save(moved / "scene 0/0x2.png")
    with pytest.raises(InputError, match="trained on other photos"):
        make_trainers(run, recipe, recipe.steps, AuditSettings(moved=PhotoPlaces(lr=moved)))(0)


def test_pictures_show_the_pairs(place: Place) -> None:
    run, gaps = nas.open_run(place.run), list[str]()
    (photo,) = crops(run, run.records(), gaps)
    assert gaps == []
    assert photo.images[0].name == "input, 1/2"
    by_bicubic = next(one for one in photo.images if one.name == "bicubic")
    assert by_bicubic.psnr_y_db is not None
    assert by_bicubic.psnr_y_db < 15


def test_workers_find_the_pairs(place: Place, database: str, command: Command) -> None:
    run = place.run.parent / "shared"
    made = command(
        "search", "--budget", "30K-params", "--space", "tiny", "--profile", "smoke", "--trials", 1,
        "--scale", 2, "--data", place.hr, "--lr", place.lr, "--workers", 0, "--run", run,
        "--storage", database,
    )  # fmt: skip
    assert made.code == 0, made.err
    worker = ("worker", "--study", run.name, "--storage", database, "--json")
    wrong = command(*worker, "--lr", place.hr)
    assert wrong.code == 2
    assert "2 times as large" in wrong.err
    done = command(*worker)
    assert (done.code, done.err) == (0, "")
    assert '"goal reached"' in done.out


def test_scale_1_without_lr_has_nothing_to_learn(
    place: Place, command: Command, tmp_path: Path
) -> None:
    hr = ("--data", place.hr)
    for words in (
        ("search", "--space", "tiny", "--profile", "smoke", *hr, "--run", tmp_path / "run"),
        ("train", "ecbsr_m4c16", "--recipe", "smoke", *hr, "--run", tmp_path / "run"),
        ("evaluate", "bicubic", "--set", f"A={place.hr / 'scene 0'}"),
    ):
        done = command(*words, "--scale", 1)
        assert done.code == 2
        assert done.err.count("\n") == 1, done.err
        assert "at scale 1 the LR that bicubic makes is the photo itself" in done.err
    assert not (tmp_path / "run").exists()


def test_evaluating_a_single_set_of_pairs(place: Place, command: Command, tmp_path: Path) -> None:
    words = ("evaluate", "bicubic", "--scale", 2, "--set", f"A={place.hr / 'scene 0'}", "--json")
    found = []
    for lr in ((), ("--lr", place.lr / "scene 0"), ("--lr", f"A={place.lr / 'scene 0'}")):
        done = command(*words, *lr)
        assert done.code == 0, done.err
        found.append(json.loads(done.out)["sets"][0])
    assert found[1] == found[2]
    assert found[1] != found[0]
    done = command(*words, "--lr", f"B={place.lr}")
    assert done.code == 2
    assert "no set is called B" in done.err
