from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from nas.data import load_dataset
from nas.data.places import PhotoPlaces
from nas.training.warm_start import initial_network
from search_spaces import Architecture, load, save_weights


class Place(NamedTuple):
    """Files that the commands name."""

    net: Path
    recipe: Path
    photos: Path
    run: Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    data = {"scale": 2, "channels": 8, "image_skip": "linear", "blocks": [block]}
    net, recipe, photos = (tmp_path / name for name in ("net.yaml", "recipe.yaml", "photos"))
    Architecture.from_dict(data).save(net)
    recipe.write_text(
        "source: a test\n"
        "phases:\n"
        "  - {steps: 8, batch: 4, hr_size: 16, schedule: step, milestones: [4], warmup_steps: 0,"
        " precision: fp32, optimizer: muon, first_weights: photos}\n"
        "  - {steps: 4, batch: 4, hr_size: 16, loss: l2, warmup_steps: 0, precision: fp32}\n"
    )
    photos.mkdir()
    rng = np.random.default_rng(0)
    for number in range(4):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        image = Image.fromarray(np.kron(coarse, np.ones((5, 5, 1), np.uint8)))
        image.save(photos / f"{number}.png")
    return Place(net, recipe, photos, tmp_path / "run")


@pytest.fixture
def train(command: Callable[..., Any], place: Place) -> Callable[..., Any]:
    def run(*arguments: object) -> Any:
        return command(
            "train", place.net, "--recipe", place.recipe, "--data", place.photos,
            "--run", place.run, "--no-tensorboard", *arguments,
        )  # fmt: skip

    return run


def test_a_training_and_the_same_command_again(train: Callable[..., Any], place: Place) -> None:
    first = train("--validate-every", "4")
    assert first.code == 0, first.err
    assert "4 steps in 2 phases" not in first.out
    assert "recipe recipe, 12 steps in 2 phases" in first.err
    assert "step       8  validation" in first.err
    assert "Trained 12 steps" in first.err
    assert load(place.run / "best.safetensors").architecture.scale == 2
    again = train("--validate-every", "4", "--json")
    events = [json.loads(line) for line in again.out.splitlines()]
    assert [event["event"] for event in events] == ["TrainingStarted", "TrainingEnded"]
    assert events[0]["step"] == events[0]["steps"] == 12


def test_a_training_is_judged_on_the_photos_of_a_search(
    train: Callable[..., Any], place: Place
) -> None:
    rng = np.random.default_rng(1)
    for number in range(4, 30):
        pixels = rng.integers(0, 256, (48 + number % 2, 48, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place.photos / f"{number}.png")
    searched = load_dataset(2, PhotoPlaces(place.photos), lr_size=24)
    assert train("--steps", "2", "--patch", "48").code == 0
    about = yaml.safe_load((place.run / "train.yaml").read_text())
    assert about["validation"] == {"validation": [photo.name for photo in searched.validation]}
    assert about["data_fingerprint"] == searched.fingerprint
    assert len(searched.validation) == 3


def test_named_sets_a_shorter_schedule_and_weights_to_go_on_from(
    train: Callable[..., Any], command: Callable[..., Any], place: Place
) -> None:
    done = train("--val", f"A={place.photos}", "--steps", "3", "--data", place.photos)
    assert done.code == 2
    assert "training photos are validation photos too" in done.err
    other = place.run.parent / "other"
    other.mkdir()
    (place.photos / "3.png").rename(other / "3.png")
    done = train("--val", f"A={other}", "--val", f"B={other}", "--steps", "3", "--json")
    assert done.code == 0, done.err
    last = [json.loads(line) for line in done.out.splitlines()][-2]
    assert last["step"] == 3
    found = command(
        "train", place.run / "best.safetensors", "--recipe", place.recipe, "--steps", "2",
        "--data", place.photos, "--run", place.run.parent / "more", "--no-tensorboard",
    )  # fmt: skip
    assert found.code == 0, found.err
    done = train("--run", place.run.parent / "taught", "--teacher", place.run / "best.safetensors")
    assert done.code == 0, done.err
    about = yaml.safe_load((place.run.parent / "taught" / "train.yaml").read_text())
    assert about["teacher"] == str(place.run / "best.safetensors")


def test_a_recipes_teacher_teaches_and_is_remembered(
    train: Callable[..., Any], place: Place
) -> None:
    teacher = place.recipe.parent / "teachers" / "one.safetensors"
    teacher.parent.mkdir()
    save_weights(initial_network(Architecture.load(place.net), None, 5), teacher)
    place.recipe.write_text("teacher: teachers/one.safetensors\n" + place.recipe.read_text())
    done = train("--steps", "2")
    assert done.code == 0, done.err
    assert f"Teacher, from recipe recipe: {teacher} (another by --teacher)" in done.err
    assert yaml.safe_load((place.run / "train.yaml").read_text())["teacher"] == str(teacher)
    assert train("--steps", "2").code == 0
    save_weights(initial_network(Architecture.load(place.net), None, 6), teacher)
    done = train("--steps", "2")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "holds a training with another teacher" in done.err
    teacher.unlink()
    done = train("--steps", "2")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert f"recipe.yaml:1: teacher: {teacher}: no such file" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe", "edsr"), "expected one of best, e_rfdn, fast"),
        (("--recipe", "e_rfdn", "--steps", "1"), "has 2 phases"),
        (("--data", "nowhere"), "photo folder nowhere: no such file"),
        (("--val", "A="), "expected FOLDER or NAME=FOLDER"),
        (("--device", "cuda:9"), "device must be one that torch sees here"),
        (("--init", "nothing.safetensors"), "nothing.safetensors"),
        (("--teacher", "nothing.safetensors"), "nothing.safetensors"),
        (("--processes", "0"), "expected at least 1"),
        (("--patch", "80"), "needed: at least"),
        (("--batch", "0"), "batch"),
        (("--memory", "nan"), "--memory: expected GB above 0, got nan"),
        (("--precision", "fp8"), "precision"),
    ],
)
def test_bad_input_is_one_line(
    train: Callable[..., Any], place: Place, arguments: tuple[str, ...], message: str
) -> None:
    done = train(*arguments)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (place.run / "checkpoint.pt").exists()


def test_tensorboard_gets_scalars_and_images(train: Callable[..., Any], place: Place) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    assert train("--tensorboard").code == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(place.run / "tensorboard"))
    events.Reload()
    tags = events.Tags()
    assert {"train/loss", "train/learning_rate", "validation/psnr_y_db"} <= set(tags["scalars"])
    assert tags["images"] == ["validation/network"]


def test_without_tensorboard_it_is_said(
    train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    asked = train("--tensorboard")
    assert asked.code == 2
    assert (
        "TensorBoard is not installed; install the extra: pip install 'nas-sr[tensorboard]'"
        in asked.err
    )


def test_two_processes_train_as_one_does(
    train: Callable[..., Any], place: Place, environ: dict[str, str]
) -> None:
    assert train().code == 0
    done = subprocess.run(
        [
            sys.executable, "-m", "nas.cli.main", "train", place.net, "--recipe", place.recipe,
            "--data", place.photos, "--run", place.run.parent / "both", "--no-tensorboard",
            "--processes", "2",
        ],
        env=environ, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 processes" in done.stderr
    alone, both = (
        load(folder / "last.safetensors").state_dict()
        for folder in (place.run, place.run.parent / "both")
    )
    one, other = (torch.cat([t.flatten() for t in w.values()]) for w in (alone, both))
    # Not element by element: where a gradient is nearly 0, Adam makes a whole step of its sign.
    assert (one - other).norm() < 1e-4 * one.norm()
    fresh = torch.cat([t.flatten() for t in initial_network(Architecture.load(place.net), None, 0)
                       .state_dict().values()])  # fmt: skip
    # What training changed, half a batch or another order of patches changes otherwise.
    assert (one - fresh).norm() > 1e-2 * one.norm()


def test_a_search_trains_its_best_fully(command: Callable[..., Any], tmp_path: Path) -> None:
    run, options = tmp_path / "run", ("--space", "tiny", "--profile", "smoke", "--trials", "2")
    search = ("search", *options, "--run", run, "--train-best", "2", "--train-steps", "3",
              "--objectives", "psnr")  # fmt: skip
    refused = command(*search, "--train-recipe", "edsr")
    assert refused.code == 2
    assert "--recipe: expected one of" in refused.err
    assert not run.exists()
    done = command(*search, "--train-recipe", "smoke")
    assert done.code == 0, done.err
    # The front has one network; the other one gets its chance, too.
    trained = {folder.name: folder for folder in (run / "trained").glob("*/")}
    assert set(trained) == {"0", "1"}
    told = done.err.splitlines()[-3:]
    assert told[0].startswith("Trained fully, the best first (")
    order = [line.split()[1].rstrip(":") for line in told[1:]]
    about = {one: yaml.safe_load((trained[one] / "train.yaml").read_text()) for one in trained}
    reached = {one: about[one]["result"]["best"]["validation_psnr_y_db"] for one in trained}
    assert order == sorted(reached, key=lambda name: -reached[name])
    best = load(run / "trained" / "best.safetensors")
    assert Architecture.load(run / "trained" / "best.yaml") == best.architecture
    first = load(trained[order[0]] / "best.safetensors")
    assert first.architecture == best.architecture
    again = command(*search, "--train-recipe", "smoke", "--json")
    ended = json.loads(again.out.splitlines()[-1])
    assert (ended["event"], str(ended["best"])) == ("FinalistsTrained", order[0])
