"""A teacher that is asked of whole photos: when it is, what it says, how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas.data import Dataset, Patches
from nas.data.aligned import aligned
from nas.data.degradations import load_chain
from nas.evaluate.upscale import upscale
from nas.training.answers import Answers
from nas.training.events import TrainingEvent, TrainingStarted
from nas.training.loop import unit
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from search_spaces import Architecture, Network, load, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.training_tests.trainings import same, weights

Make = Callable[..., TrainSettings]
CPU = torch.device("cpu")


def taught_by(architecture: Architecture, file: Path, **changes: Any) -> Path:
    from nas.training.warm_start import initial_network

    plain = architecture.to_dict() | changes
    save_weights(initial_network(Architecture.from_dict(plain), None, 7), file)
    return file


@pytest.fixture
def teacher(architecture: Architecture, tmp_path: Path) -> Path:
    return taught_by(architecture, tmp_path / "teacher.safetensors")


def wanted(settings: TrainSettings) -> Answers:
    answers = Answers.wanted(settings, CPU)
    assert answers is not None
    return answers


def test_patches_are_cut_of_what_it_makes_of_whole_photos(
    make: Make, photos: Dataset, teacher: Path
) -> None:
    answers = wanted(make(teacher=teacher))
    patches = Patches(photos.train, 2, lr_size=6, batch=8, seed=3)
    # What it makes of them beforehand, as photos with the LR of the others.
    made = []
    for one in photos.train:
        lr = aligned(one, 2).lr
        made.append(replace(one, pixels=upscale(load(teacher), lr, 2), lr=lr))
    expected = Patches(made, 2, lr_size=6, batch=8, seed=3)
    for step in (0, 5):
        batch, right = patches.with_hr(answers).batch(step), expected.batch(step)
        assert torch.equal(batch.lr, right.lr)
        assert torch.equal(batch.hr, right.hr)
        assert not torch.equal(batch.hr, patches.batch(step).hr)


def test_each_photo_is_asked_about_once(
    make: Make, photos: Dataset, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[torch.Size] = []
    real = Network.forward

    def forward(self: Network, image: torch.Tensor) -> torch.Tensor:
        if not self.training and image.shape[0] == 1 and torch.is_inference_mode_enabled():
            asked.append(image.shape)
        return real(self, image)

    answers = wanted(make(teacher=teacher))
    monkeypatch.setattr(Network, "forward", forward)
    phases = [
        Patches(photos.train, 2, lr_size=size, batch=4, seed=3).with_hr(answers) for size in (6, 8)
    ]
    assert not asked
    for patches in phases:
        for step in range(8):
            patches.batch(step)
    assert len(asked) == len(photos.train)


def test_a_training_with_it_goes_on_to_the_same_bits(
    make: Make, teacher: Path, full: FullRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.nas_tests.training_tests.trainings import stopping

    whole, parts = make("whole", teacher=teacher), make("parts", teacher=teacher)
    assert Answers.wanted(whole, CPU) is not None
    events: list[TrainingEvent] = []
    train_fully(whole, events.append)
    assert isinstance(events[0], TrainingStarted)
    assert [note for note in events[0].notes if "is shown each photo once" in note]
    with pytest.raises(KeyboardInterrupt):
        train_fully(parts, stopping(14))
    train_fully(parts)
    assert same(weights(whole.run), weights(parts.run))
    # It is another one than from the photos, and than from the patches alone.
    train_fully(make("photos"))
    monkeypatch.setattr("nas.training.answers._pays", lambda settings: False)
    train_fully(make("patches", teacher=teacher))
    made = [weights(make(name).run) for name in ("whole", "photos", "patches")]
    assert not same(made[0], made[1])
    assert not same(made[0], made[2])


def test_of_a_phase_without_a_share_it_says_nothing(
    make: Make, teacher: Path, full: FullRecipe
) -> None:
    phases = tuple(phase.replace(teacher_share=0) for phase in full.phases)
    none = full.model_copy(update={"phases": phases})
    train_fully(make("without", recipe=none))
    train_fully(make("with", recipe=none, teacher=teacher))
    assert same(weights(make("without").run), weights(make("with").run))


def test_shrunk_photos_are_shown_to_it_as_well(
    make: Make, teacher: Path, full: FullRecipe, photos: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = full.phases[0].replace(scale_augmentation=(0.5,), lr_size=6, batch=64)
    settings = make(teacher=teacher, recipe=full.model_copy(update={"phases": (recipe,)}))
    answers = wanted(settings)
    plain = Patches.of(photos.train, 2, recipe)
    taught = answers.cut(plain, recipe)
    assert taught is not None
    assert not torch.equal(taught.batch(0).hr, plain.batch(0).hr)
    assert len(answers._made) > len(photos.train)
    # They are counted: what the photos alone would leave room for is too much.
    alone = sum(one.pixels.nbytes for one in photos.train)
    monkeypatch.setattr("nas.training.answers._MOST_BYTES", alone)
    assert Answers.wanted(settings, CPU) is None
    assert Answers.wanted(make(teacher=teacher), CPU) is not None


@pytest.mark.parametrize("why", ["few steps", "a chain", "large"])
def test_patches_are_asked_for_instead(
    why: str, make: Make, teacher: Path, full: FullRecipe, photos: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings = make(teacher=teacher)
    assert Answers.wanted(settings, CPU) is not None
    if why == "few steps":
        first = full.phases[0].replace(steps=1, warmup_steps=0, batch=1, lr_size=4)
        settings = make(teacher=teacher, recipe=full.model_copy(update={"phases": (first,)}))
    elif why == "a chain":
        chain = load_chain("jpeg")
        train = tuple(one.degraded(chain) for one in photos.train)
        settings = make(teacher=teacher, photos=replace(photos, train=train))
    else:
        monkeypatch.setattr("nas.training.answers._MOST_BYTES", 100)
    assert Answers.wanted(settings, CPU) is None


def test_one_of_three_colours_teaches_luma(
    make: Make, architecture: Architecture, teacher: Path
) -> None:
    luma = Architecture.from_dict(architecture.to_dict() | {"colors": 1})
    settings = make("luma", architecture=luma, teacher=teacher)
    train_fully(settings)
    # The other way round there is nothing to learn of colours.
    gray = taught_by(architecture, teacher.with_name("gray.safetensors"), colors=1)
    with pytest.raises(InputError, match="expected a teacher of the same colors"):
        train_fully(make("rgb", teacher=gray))
    # Nor where it would have to be shown patches of luma.
    chain = load_chain("jpeg")
    photos = settings.photos
    shown = replace(photos, train=tuple(one.degraded(chain) for one in photos.train))
    with pytest.raises(InputError, match="expected a teacher of the same colors"):
        train_fully(make("chain", architecture=luma, teacher=teacher, photos=shown))


def test_the_answer_of_one_of_luma_has_its_luma(
    make: Make, architecture: Architecture, tmp_path: Path
) -> None:
    luma = Architecture.from_dict(architecture.to_dict() | {"colors": 1})
    file = taught_by(luma, tmp_path / "teacher.safetensors")
    answers = wanted(make(architecture=luma, teacher=file))
    lr = np.random.default_rng(0).integers(60, 200, (7, 9, 3), dtype=np.uint8)
    images = torch.from_numpy(lr).permute(2, 0, 1)[None]
    with torch.no_grad():
        told = load(file).eval()(unit(images, 1, CPU)).clamp(16 / 255, 235 / 255)
    found = unit(torch.from_numpy(answers.of(lr)).permute(2, 0, 1)[None], 1, CPU)
    assert float((found - told).abs().max()) <= 0.51 / 255


def test_photos_of_the_same_look_share_an_answer(make: Make, teacher: Path) -> None:
    answers = wanted(make(teacher=teacher))
    lr = np.zeros((4, 6, 3), np.uint8)
    assert answers.of(lr) is answers.of(lr.copy())
    assert answers.of(lr) is not answers.of(np.zeros((6, 4, 3), np.uint8))
