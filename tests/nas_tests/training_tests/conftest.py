from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas.data import Photo
from nas.evaluate.plan import Plan
from nas.evaluate.recipe import Recipe
from nas.training.photos import TrainingPhotos
from nas.training.settings import TrainSettings
from search_spaces import Architecture

Make = Callable[..., TrainSettings]


@pytest.fixture(scope="session")
def architecture() -> Architecture:
    block = {"kind": "distillation", "stages": 2, "distillation": "none"}
    return Architecture.from_dict(
        {"scale": 2, "channels": 8, "image_skip": "linear", "blocks": [block]}
    )


@pytest.fixture(scope="session")
def plan() -> Plan:
    first = Recipe(
        steps=12, batch=4, lr_size=8, schedule="cosine", warmup_steps=2, averaged_share=0.3,
        precision="fp32",
    )  # fmt: skip
    second = first.replace(steps=8, loss="l2", lr_size=10, learning_rate=5e-4)
    return Plan(name="two", source="a test", phases=(first, second))


@pytest.fixture(scope="session")
def photos() -> TrainingPhotos:
    rng = np.random.default_rng(3)
    made = [
        Photo(str(n), np.kron(rng.integers(0, 256, (8, 9, 3)), np.ones((4, 4, 1))).astype(np.uint8))
        for n in range(4)
    ]
    sets = {"first": (made[2],), "second": (made[3],)}
    return TrainingPhotos("noise", tuple(made[:2]), sets, "fingerprint", {})


@pytest.fixture
def make(
    architecture: Architecture, plan: Plan, photos: TrainingPhotos, tmp_path: Path, one_thread: None
) -> Make:
    def settings(run: str = "run", **changes: Any) -> TrainSettings:
        given: dict[str, Any] = {"every": 5, "tensorboard": False, **changes}
        return TrainSettings(
            given.pop("architecture", architecture), given.pop("plan", plan),
            given.pop("photos", photos), tmp_path / run, **given,
        )  # fmt: skip

    return settings
