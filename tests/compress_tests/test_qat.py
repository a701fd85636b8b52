from __future__ import annotations

import importlib.util
import os
from typing import Any

import numpy as np
import pytest
import torch

from compress.qat import qat
from nas.data import Photo
from nas.training.recipe import Recipe
from search_spaces import Architecture, InputError, Network, build

DATA = {"scale": 2, "channels": 16, "image_skip": "linear"}
PHOTO = Photo("noise", np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
RECIPE = Recipe(
    steps=24, batch=2, lr_size=16, learning_rate=1e-4, warmup_steps=1, averaged_share=0.3
)


@pytest.fixture(scope="module")
def network() -> Network:
    if importlib.util.find_spec("torchao") is None and "CI_REQUIRES_ALL" not in os.environ:
        pytest.skip("torchao is not installed: pip install 'nas-sr[quantize]'")
    block = {"kind": "distillation", "stages": 2, "distillation": "fdc", "distilled": 8, "last": 8,
             "attention": {"kind": "esa", "width": 4}}  # fmt: skip
    torch.manual_seed(0)
    return build(Architecture.from_dict(DATA | {"blocks": [block]})).eval()


def test_weights_learn_to_be_rounded(network: Network) -> None:
    losses: list[float] = []
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    made = qat(network, [PHOTO], RECIPE, on_step=lambda step, loss: losses.append(loss))
    assert len(losses) == RECIPE.steps
    assert min(losses[-4:]) < losses[0]
    assert made.architecture == network.architecture
    assert not made.training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    changed = [not torch.equal(t, before[name]) for name, t in made.state_dict().items()]
    assert all(changed[: len(before) // 2])


def test_without_rounding_there_is_nothing_to_learn(network: Network) -> None:
    layers = [name.removesuffix(".weight") for name in network.state_dict()]
    losses: list[float] = []
    recipe = RECIPE.replace(steps=1, warmup_steps=0)
    qat(network, [PHOTO], recipe, float_layers=layers, on_step=lambda _, loss: losses.append(loss))
    rounded: list[float] = []
    qat(network, [PHOTO], recipe, on_step=lambda _, loss: rounded.append(loss))
    assert losses[0] < rounded[0]


def test_torchao_is_an_extra(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *rest: Any) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", without)
    with pytest.raises(InputError, match=r"nas-sr\[quantize\]"):
        qat(network, [PHOTO], RECIPE)
