"""Photos, what judges and weights that training and compression take over from a search."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import nas
from nas.cli.inherited import inherited_photos
from nas.data.places import PhotoPlaces
from nas.run_file import read_run_file, write_run
from search_spaces import load
from search_spaces.errors import InputError

Command = Callable[..., Any]


class Place(NamedTuple):
    """A search on photos of its own; read only."""

    run: Path
    photos: Path
    bicubic_db: float
    proxy_db: float


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, own_lock: Path) -> Place:
    folder = tmp_path_factory.mktemp("searched")
    photos = folder / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    # Some hold a patch of the search alone, most hold one of the other commands, too.
    for number, side in enumerate([72] * 8 + [104] * 12):
        coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
        image = Image.fromarray(np.kron(coarse, np.ones((8, 8, 1), np.uint8)))
        image.save(photos / f"{number}.png")
    run = nas.search(
        "30K-params", space="tiny", profile="smoke", trials=2, data=photos, run=folder / "run"
    )
    best = run.best()
    assert best is not None
    assert best.psnr_y_db is not None
    return Place(run.folder, photos, run.about["bicubic"]["psnr_y_db"], best.psnr_y_db)


@pytest.fixture
def train(command: Command, place: Place, tmp_path: Path) -> Command:
    """Trains the best for three steps and gives the events."""

    def run(*options: object, run: Path = place.run, trial: str = "best") -> list[dict[str, Any]]:
        done = command(
            "train", run, trial, "--recipe", "smoke", "--steps", "3", "--no-tensorboard",
            "--run", tmp_path / "full", "--json", *options,
        )  # fmt: skip
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]

    return run


def test_search_training_and_compression_judge_on_the_same_photos(
    place: Place, train: Command, command: Command, tmp_path: Path
) -> None:
    started = train()[0]
    assert started["bicubic_psnr_y_db"] == {"validation": pytest.approx(place.bicubic_db)}
    net = tmp_path / "full" / "best.safetensors"
    for words in (
        ("auto", place.run, "--budget", "95%", "--profile", "smoke", "--steps", "1", "--no-int8",
         "--size", "16x9", "-o", tmp_path / "a", "--seed", "3"),
        ("auto", net, "--budget", "95%", "--steps", "0", "--no-int8", "--size", "16x9",
         "-o", tmp_path / "b"),
        ("prune", place.run, "--budget", "5K-params", "--importance", "taylor",
         "-o", tmp_path / "c"),
        ("distill", place.run, "--teacher", net, "--profile", "smoke", "--steps", "1",
         "-o", tmp_path / "d"),
    ):  # fmt: skip
        done = command("compress", *words)
        assert done.code == 0, done.err
        assert f"bicubic on validation {place.bicubic_db:.3f} dB" in done.err
        assert re.search("Photos to train on, from .*: .*photos", done.err)


def test_quantising_judges_on_the_same_photos(
    place: Place, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quantize(network: Any, train: Any, judging: Any, *_: Any, **__: Any) -> None:
        raise InputError(f"judged by {len(judging)} photos")

    monkeypatch.setattr("compress.quantize.quantize", quantize)
    done = command("compress", "quantize", place.run, "-o", tmp_path / "net.onnx")
    assert f"bicubic on validation {place.bicubic_db:.3f} dB" in done.err
    assert "judged by 1 photos" in done.err


def test_a_training_goes_on_from_its_search_and_says_so(
    place: Place, train: Command, tmp_path: Path
) -> None:
    events = train()
    said = "\n".join(events[0]["notes"])
    assert f"Photos to train on, from {place.run}: {place.photos} (others by --data)" in said
    assert "Photos that judge, from" in said
    assert re.search(r"Weights: those of trial \d of .* \(new ones by --fresh\)", said)
    # As good as there, before the first step.
    first = events[1]
    assert (first["event"], first["step"]) == ("Validated", 0)
    assert first["psnr_y_db"]["validation"] == pytest.approx(place.proxy_db, abs=1e-3)
    ended = events[-1]
    assert ended["proxy_psnr_y_db"] == place.proxy_db
    assert ended["bicubic_psnr_y_db"] == pytest.approx(place.bicubic_db)
    assert ended["best_psnr_y_db"] >= first["psnr_y_db"]["validation"]
    about = yaml.safe_load((tmp_path / "full" / "train.yaml").read_text())
    assert about["photos"] == {
        "data": str(place.photos), "val": {}, "lr": None, "val_lr": {}, "degradation": None,
    }  # fmt: skip
    assert about["result"]["proxy_psnr_y_db"] == place.proxy_db


def test_what_is_given_wins(place: Place, train: Command, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for number in range(2):
        path = place.photos / f"{10 + number}.png"
        with Image.open(path) as image:
            image.rotate(90).save(others / path.name)
    events = train("--fresh", "--val", others)
    said = "\n".join(events[0]["notes"])
    assert "Weights: fresh ones" in said
    assert "Photos to train on, from" in said
    assert "Photos that judge, from" not in said
    assert "The search judged on other photos" in said
    assert events[0]["bicubic_psnr_y_db"].keys() == {"others"}
    assert next(event["step"] for event in events if event["event"] == "Validated") > 0
    assert events[-1]["proxy_psnr_y_db"] is None


def test_the_gains_are_told_at_the_end(place: Place, command: Command, tmp_path: Path) -> None:
    words = ("train", place.run, "--recipe", "smoke", "--steps", "2", "--no-tensorboard", "--fresh")
    done = command(*words, "--run", tmp_path / "full")
    assert done.code == 0, done.err
    (line,) = [line for line in done.err.splitlines() if line.startswith("Trained")]
    assert re.search(
        r"dB at step 2, \d+\.\d{3} dB (above|below) bicubic, \d+\.\d{3} dB (above|below) the "
        r"search's short training$", line,
    )  # fmt: skip
    refused = command(*words, "--run", tmp_path / "more", "--init", tmp_path / "x.safetensors")
    assert (refused.code, "--fresh and --init" in refused.err) == (2, True)


def test_weights_that_the_search_did_not_keep(place: Place, train: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(place.run, run)
    train(run=run)
    shutil.rmtree(run / "weights")
    # The training has got its own copy, so that the same command goes on.
    assert [event["event"] for event in train(run=run)] == ["TrainingStarted", "TrainingEnded"]
    shutil.rmtree(tmp_path / "full")
    assert any(note.endswith("were not kept") for note in train(run=run)[0]["notes"])


def test_a_search_trains_from_what_it_knows(place: Place, command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(place.run, run)
    done = command(
        "search", "--budget", "30K-params", "--space", "tiny", "--profile", "smoke", "--trials",
        "2", "--data", place.photos, "--run", run, "--train-best", "1", "--train-recipe", "smoke",
        "--train-steps", "2",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Weights: those of trial" in done.err
    assert "above the search's short training" in done.err
    (trained,) = (run / "trained").glob("*/")
    assert inherited_photos([trained / "best.safetensors"], PhotoPlaces())[0].data == place.photos


def test_whose_photos_they_are(place: Place, tmp_path: Path) -> None:
    known = PhotoPlaces(place.photos)
    for name in (place.run, place.run / "best.yaml", place.run / "best.safetensors"):
        assert inherited_photos([name], PhotoPlaces())[0] == known
    assert inherited_photos(["rfdn", place.run], PhotoPlaces())[0] == known
    assert inherited_photos(["rfdn"], PhotoPlaces()) == (PhotoPlaces(), ())
    assert inherited_photos([place.run], PhotoPlaces(tmp_path)) == (PhotoPlaces(tmp_path), ())
    given = PhotoPlaces(tmp_path, {"a": tmp_path})
    assert inherited_photos([place.run], given) == (given, ())


def test_photos_that_are_gone(place: Place, tmp_path: Path) -> None:
    about = read_run_file(place.run)
    for key, option in (("data", "--data"), ("val", "--val")):
        write_run(tmp_path, {**about, "photos": {**about["photos"], key: str(tmp_path / "gone")}})
        with pytest.raises(InputError, match=f"gone, which is no folder here; say with {option}"):
            inherited_photos([tmp_path], PhotoPlaces())


def test_fresh_weights_of_a_file_that_has_some(
    place: Place, train: Command, tmp_path: Path
) -> None:
    net = tmp_path / "net.safetensors"
    shutil.copy(place.run / "best.safetensors", net)
    trained = []
    for options in (("--fresh",), ()):
        train(*options, "--data", place.photos, run=net)
        trained.append(load(tmp_path / "full" / "last.safetensors").state_dict())
        shutil.rmtree(tmp_path / "full")
    one, other = (torch.cat([t.flatten() for t in weights.values()]) for weights in trained)
    assert (one - other).norm() > 0.01 * one.norm()
