from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas.data import Dataset, Patches, Photo
from nas.training.events import TrainingEvent
from nas.training.recipe import Recipe
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from nas.training.state import TrainState, seeded, start
from search_spaces import Architecture, Network, build
from tests.nas_tests.training_tests.trainings import Whole, muon

Make = Callable[..., TrainSettings]


@pytest.fixture(scope="session")
def architecture() -> Architecture:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    return Architecture.from_dict(
        {"scale": 2, "channels": 8, "image_skip": "linear", "blocks": [block]}
    )


@pytest.fixture(scope="session")
def full() -> FullRecipe:
    first = Recipe(
        steps=12, batch=4, lr_size=8, schedule="cosine", warmup_steps=2, averaged_share=0.3,
        precision="fp32",
    )  # fmt: skip
    second = first.replace(steps=8, loss="l2", lr_size=10, learning_rate=5e-4)
    return FullRecipe(name="two", source="a test", phases=(first, second))


@pytest.fixture(scope="session")
def photos() -> Dataset:
    rng = np.random.default_rng(3)
    made = [
        Photo(str(n), np.kron(rng.integers(0, 256, (8, 9, 3)), np.ones((4, 4, 1))).astype(np.uint8))
        for n in range(4)
    ]
    sets = {"first": (made[2],), "second": (made[3],)}
    return Dataset("noise", 2, tuple(made[:2]), sets, "fingerprint", {})


@pytest.fixture(scope="session")
def make_in(architecture: Architecture, full: FullRecipe, photos: Dataset) -> Make:
    """Settings of a training in a folder; the rest by keywords."""

    def settings(run: Path, **changes: Any) -> TrainSettings:
        given: dict[str, Any] = {"every": 5, "tensorboard": False, **changes}
        return TrainSettings(
            given.pop("architecture", architecture), given.pop("recipe", full),
            given.pop("photos", photos), run, **given,
        )  # fmt: skip

    return settings


@pytest.fixture
def make(make_in: Make, tmp_path: Path, one_thread: None) -> Make:
    """The same in a folder of the test's own."""
    return lambda run="run", **changes: make_in(tmp_path / run, **changes)


def _trained(settings: TrainSettings) -> Whole:
    events: list[TrainingEvent] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    progress = train_fully(settings, events.append)
    torch.set_num_threads(threads)
    return Whole(settings.run, events, progress)


@pytest.fixture(scope="session")
def whole(make_in: Make, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A training without a stop; read only."""
    return _trained(make_in(tmp_path_factory.mktemp("whole") / "run", command="nas train"))


@pytest.fixture(scope="session")
def with_muon(make_in: Make, full: FullRecipe, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The same with Muon and first weights from photos."""
    return _trained(make_in(tmp_path_factory.mktemp("muon") / "run", recipe=muon(full)))


class Toy(nn.Module):
    def __init__(self, colors: int = 3) -> None:
        super().__init__()
        self.inner = nn.Conv2d(colors, 8, 3, padding=1)
        self.outer = nn.Conv2d(8, colors * 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.outer(torch.relu(self.inner(image)))
        return nn.functional.pixel_shuffle(y, 2)


@pytest.fixture
def patches(photo: Photo) -> Patches:
    return Patches([photo], 2, lr_size=8, batch=2, seed=0)


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(steps=12, batch=2, lr_size=8, warmup_steps=4, averaged_share=0.3)


@pytest.fixture
def fresh(recipe: Recipe) -> Callable[..., TrainState]:
    def make(colors: int = 3, seed: int = 0) -> TrainState:
        return start(seeded(lambda: Toy(colors), seed), recipe, colors=colors)

    return make


@pytest.fixture
def make_network() -> Callable[..., Network]:
    """Makes small networks with a linear image skip and depthwise filters; the same every time."""

    def make(**fields: Any) -> Network:
        block = {"kind": "distillation", "stages": 3, "distillation": "fdc", "distilled": 3,
                 "convolution": "bsconv", "attention": {"kind": "esa", "width": 4}}  # fmt: skip
        data = {"scale": 2, "channels": 6, "blocks": [block, "spab"], "image_skip": "linear"}
        return seeded(lambda: build(Architecture.from_dict(data | fields)), 0)

    return make
