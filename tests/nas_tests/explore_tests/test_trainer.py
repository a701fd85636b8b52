"""What a search has of a training: begun, gone on with, begun again where it diverges."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas.evaluate.validate import validate
from nas.explore.settings import make_settings
from nas.explore.trainer import NetworkTrainer
from nas.training import checkpointed, first_weights
from nas.training.loop import Diverged, train
from nas.training.recipe import Recipe
from nas.training.state import TrainState
from search_spaces import Architecture, load
from search_spaces.space import Point

RECIPE = Recipe(steps=12, batch=2, lr_size=8, warmup_steps=2, optimizer="muon", filter_rate=0.2)
HALF = RECIPE.slowed(0.5)


@pytest.fixture
def arch() -> Architecture:
    point: Point = {"family": "none", "attention": "none", "blocks": 1, "channels": 8}
    return make_settings(space="tiny").space.architecture(point, 4)


@pytest.fixture
def diverge_above(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Makes every training diverge at step 3 whose step size is larger."""

    def arrange(rate: float) -> None:
        real = train

        def diverging(
            state: TrainState, patches: Any, recipe: Recipe, until: int | None, **more: Any
        ) -> TrainState:
            if recipe.learning_rate > rate and state.step <= 3:
                real(state, patches, recipe, 3, **more)
                raise Diverged("diverged: made up", 3, math.nan)
            return real(state, patches, recipe, until, **more)

        monkeypatch.setattr(checkpointed, "train", diverging)

    return arrange


def trainer_of(recipe: Recipe) -> NetworkTrainer:
    return NetworkTrainer.of(make_settings(space="tiny", recipe=recipe, seed=0), "cpu")


def untold(step: int, loss: float, seconds: float) -> None:
    return None


def test_a_second_attempt_is_a_training_at_half_the_step_sizes(
    arch: Architecture, diverge_above: Callable[[float], None], tmp_path: Path, one_thread: None
) -> None:
    slow = trainer_of(HALF).advance(arch, 12, checkpoint=tmp_path / "a.pt", on_step=untold)
    assert slow.rate_factor == 1
    diverge_above(HALF.learning_rate)
    trainer, path = trainer_of(RECIPE), tmp_path / "b.pt"
    first = trainer.advance(arch, 6, checkpoint=path, on_step=untold)
    assert (first.step, first.rate_factor) == (6, 0.5)
    # Another worker goes on with it.
    last = trainer_of(RECIPE).advance(arch, 12, checkpoint=path, on_step=untold)
    assert (last.psnr_y_db, last.ssim_y) == (slow.psnr_y_db, slow.ssim_y)
    assert last.rate_factor == 0.5


def test_an_interrupted_second_attempt_goes_on(
    arch: Architecture, diverge_above: Callable[[float], None], tmp_path: Path, one_thread: None
) -> None:
    diverge_above(HALF.learning_rate)
    steps: list[int] = []

    def stop_once(step: int, loss: float, seconds: float) -> None:
        steps.append(step)
        if len(steps) == 8:
            raise KeyboardInterrupt

    path = tmp_path / "a.pt"
    with pytest.raises(KeyboardInterrupt):
        trainer_of(RECIPE).advance(arch, 12, checkpoint=path, on_step=stop_once)
    trainer_of(RECIPE).advance(arch, 12, checkpoint=path, on_step=stop_once)
    assert steps == [1, 2, 3, *range(1, 13)]


def test_one_that_diverges_twice_has_diverged(
    arch: Architecture, diverge_above: Callable[[float], None], tmp_path: Path
) -> None:
    diverge_above(0)
    steps: list[int] = []
    with pytest.raises(Diverged, match="made up"):
        trainer_of(RECIPE).advance(
            arch, 12, checkpoint=tmp_path / "a.pt", on_step=lambda step, *_: steps.append(step)
        )
    assert steps == [1, 2, 3, 1, 2, 3]


def test_one_that_holds_is_trained_once(arch: Architecture, tmp_path: Path) -> None:
    steps: list[int] = []
    rung = trainer_of(RECIPE).advance(
        arch, 12, checkpoint=tmp_path / "a.pt", on_step=lambda step, *_: steps.append(step)
    )
    assert (rung.rate_factor, steps) == (1, list(range(1, 13)))


@pytest.mark.parametrize("damage", ["none", "bytes", "removed"])
def test_weights_are_those_that_were_judged(
    damage: str, arch: Architecture, tmp_path: Path, one_thread: None
) -> None:
    path, weights = tmp_path / "a.pt", tmp_path / "a.safetensors"
    trainer = trainer_of(RECIPE)
    rung = trainer.advance(arch, 12, checkpoint=path, on_step=untold)
    if damage == "bytes":
        path.write_bytes(b"torn")
    elif damage == "removed":
        path.unlink()
    # Nothing but the checkpoint is handed on: another worker may have trained the network.
    for one in (trainer, trainer_of(RECIPE)):
        one.save_weights(arch, path, weights)
        photos, scale = trainer.dataset.validation, trainer.dataset.scale
        assert validate(load(weights), photos, scale).psnr_y_db == rung.psnr_y_db


def test_the_photos_are_asked_for_first_weights_once(
    arch: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        first_weights, "set_first_weights", lambda network, *more: asked.append(id(network))
    )
    trainer, path = trainer_of(RECIPE), tmp_path / "a.pt"
    for step in (6, 12):
        trainer.advance(arch, step, checkpoint=path, on_step=untold)
    trainer.save_weights(arch, path, tmp_path / "a.safetensors")
    assert len(asked) == 1
