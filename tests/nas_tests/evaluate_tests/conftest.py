from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas.data import Patches, Photo
from nas.evaluate import Recipe, TrainState, seeded, start
from search_spaces import Architecture, Network, build


class Toy(nn.Module):
    def __init__(self, colors: int = 3) -> None:
        super().__init__()
        self.inner = nn.Conv2d(colors, 8, 3, padding=1)
        self.outer = nn.Conv2d(8, colors * 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        y: Tensor = self.outer(torch.relu(self.inner(image)))
        return nn.functional.pixel_shuffle(y, 2)


@pytest.fixture
def photo() -> Photo:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (12, 15, 3)).astype(np.uint8)
    return Photo("noise", np.kron(coarse, np.ones((5, 5, 1), np.uint8)))


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
