from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas.data import Dataset, Patches, Photo
from nas.training import session
from nas.training.events import (
    Saved,
    TrainingEnded,
    TrainingEvent,
    TrainingStarted,
    TrainingStep,
    Validated,
)
from nas.training.loop import train as real
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from nas.training.warm_start import initial_network
from search_spaces import Architecture, load, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.training_tests.trainings import (
    Whole,
    history,
    same,
    stopping,
    weights,
)

Make = Callable[..., TrainSettings]


def test_files_and_events_of_a_whole_training(whole: Whole) -> None:
    run, events, progress = whole
    assert isinstance(events[0], TrainingStarted)
    assert events[0].bicubic_psnr_y_db.keys() == {"first", "second"}
    assert [e.step for e in events if isinstance(e, TrainingStep)] == list(range(1, 21))
    validated = [e for e in events if isinstance(e, Validated)]
    assert [e.step for e in validated] == [5, 10, 12, 15, 20]
    assert [e.phase for e in validated] == [0, 0, 0, 1, 1]
    assert isinstance(events[-1], TrainingEnded)
    rows = history(run)
    assert [row["step"] for row in rows] == ["5", "10", "12", "15", "20"]
    assert {"first_psnr_y_db", "second_ssim_y", "loss", "learning_rate"} <= rows[0].keys()
    best = max(rows, key=lambda row: float(row["first_psnr_y_db"]))
    assert progress.best_step == int(best["step"])
    about = yaml.safe_load((run / "train.yaml").read_text())
    assert about["result"]["best"]["step"] == progress.best_step
    assert about["recipe"]["source"] == "a test"
    assert about["command"] == "nas train"
    assert {path.name for path in run.iterdir()} == {
        ".lock", "best.safetensors", "last.safetensors", "history.csv", "train.yaml",
        "checkpoint.pt",
    }  # fmt: skip


def test_best_and_last_are_what_their_rows_say(whole: Whole, photos: Dataset) -> None:
    from nas.evaluate.validate import validate

    rows = history(whole.run)
    for which, row in (
        ("last", rows[-1]),
        ("best", max(rows, key=lambda row: float(row["first_psnr_y_db"]))),
    ):
        network = load(whole.run / f"{which}.safetensors")
        quality = validate(network, photos.sets["first"], 2)
        assert quality.psnr_y_db == pytest.approx(float(row["first_psnr_y_db"]), abs=1e-6)


@pytest.mark.parametrize("name", ["best.safetensors", "train.yaml"])
def test_what_no_training_has_made_is_not_overwritten(make: Make, name: str) -> None:
    settings = make()
    settings.run.mkdir()
    (settings.run / name).write_text("mine")
    with pytest.raises(InputError, match=f"holds {name}, which a training would overwrite, but"):
        train_fully(settings)
    assert [path.name for path in settings.run.iterdir()] == [name]


@pytest.mark.parametrize(
    ("steps", "every"), [(10, 20), (100, 20), (400, 20), (4000, 200), (10**6, 5000)]
)
def test_a_twentieth_of_the_steps_lies_between_validations(
    make: Make, steps: int, every: int
) -> None:
    settings = make(every=None)
    assert replace(settings, recipe=settings.recipe.stretched(steps)).validate_every == every


def test_checkpoints_come_after_the_time_given(make: Make, whole: Whole) -> None:
    events: list[TrainingEvent] = []
    train_fully(make(checkpoint_s=0.0), events.append)
    assert {e.step for e in events if isinstance(e, Saved)} == set(range(21))
    # Else, long before the first is due: at validations, where phases begin and where they end.
    saved = {e.step for e in whole.events if isinstance(e, Saved)}
    assert sorted(saved) == [0, 5, 10, 12, 15, 20]


def test_a_finished_training_is_found_done(make: Make, whole: Whole) -> None:
    shutil.copytree(whole.run, make().run)
    before = weights(make().run)
    events: list[TrainingEvent] = []
    train_fully(make(), events.append)
    assert [type(e) for e in events] == [TrainingStarted, TrainingEnded]
    assert same(before, weights(make().run))


def test_a_teacher_teaches_and_belongs_to_the_training(
    make: Make, whole: Whole, architecture: Architecture, tmp_path: Path
) -> None:
    file = tmp_path / "teacher.safetensors"
    save_weights(initial_network(architecture, None, 7), file)
    taught, parts = make("taught", teacher=file), make("parts", teacher=file)
    train_fully(taught)
    assert not same(weights(whole.run), weights(taught.run))
    with pytest.raises(KeyboardInterrupt):
        train_fully(parts, stopping(7))
    with pytest.raises(InputError, match="holds a training with another teacher"):
        train_fully(make("parts"))
    train_fully(parts)
    assert same(weights(taught.run), weights(parts.run))
    assert yaml.safe_load((taught.run / "train.yaml").read_text())["teacher"] == str(file)


def test_a_phase_with_large_patches_does_without_small_photos(
    make: Make, full: FullRecipe, photos: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 32 x 36 pixels; the second phase has patches of 20.
    small = Photo("small", photos.train[0].pixels[:18])
    mixed = replace(photos, train=(*photos.train, small))
    seen: list[int] = []

    def counting(state: Any, patches: Patches, recipe: Any, until: int, **rest: Any) -> Any:
        seen.append(len(patches._sources))
        return real(state, patches, recipe, until, **rest)

    monkeypatch.setattr(session, "train", counting)
    train_fully(make(photos=mixed))
    assert seen == [3, 3, 3, 2, 2]
    phases = (full.phases[0], full.phases[1].replace(lr_size=20))
    with pytest.raises(InputError, match="larger than all 3 training photos"):
        train_fully(make("none", photos=mixed, recipe=full.model_copy(update={"phases": phases})))
    assert not (make("none").run / "checkpoint.pt").exists()


def test_a_full_disk_leaves_what_was_there(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_fully(make(), stopping(6))
    files = {path: path.read_bytes() for path in make().run.iterdir() if path.name != ".lock"}

    def full(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="No space left on device; is the disk full") as caught:
            train_fully(make(checkpoint_s=0.0))
    assert "\n" not in str(caught.value)
    assert {p: p.read_bytes() for p in make().run.iterdir() if p.name != ".lock"} == files
    train_fully(make())


def test_two_trainings_in_one_folder_are_refused(make: Make) -> None:
    def meanwhile(event: TrainingEvent) -> None:
        if isinstance(event, TrainingStarted):
            with pytest.raises(InputError, match="another process is training here"):
                train_fully(make())

    train_fully(make(), meanwhile)
