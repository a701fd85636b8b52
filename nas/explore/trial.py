"""One trial: build the network, train it briefly, measure what it learned."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nas.data import Dataset, Patches
from nas.evaluate.recipe import Recipe
from nas.evaluate.state import TrainState, seeded, start
from nas.evaluate.train import Diverged, train
from nas.evaluate.validate import validate
from nas.records import TrialRecord
from search_spaces import Architecture, Network, build
from search_spaces.errors import InputError

__all__ = ["Trained", "train_network"]

_CHECKPOINT_SECONDS = 30.0


@dataclass(frozen=True)
class Trained:
    """A trained network with its averaged weights, and what it was worth."""

    network: Network
    psnr_y_db: float
    ssim_y: float
    steps: int
    seconds: float

    def complete(self, record: TrialRecord) -> TrialRecord:
        """The record with what was learned."""
        return replace(
            record,
            psnr_y_db=self.psnr_y_db,
            ssim_y=self.ssim_y,
            train_steps=self.steps,
            train_seconds=round(self.seconds, 3),
        )


def train_network(
    architecture: Architecture,
    dataset: Dataset,
    patches: Patches,
    recipe: Recipe,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    on_step: Callable[[int, float, float], None] | None = None,
) -> Trained:
    """Trains the network from the recipe's seed and evaluates its averaged weights.

    Args:
        architecture: what to build.
        dataset: its validation photos judge the network.
        patches: the batches, the same for every network.
        recipe: how to train.
        device: where.
        checkpoint: written now and then and when interrupted; a training that finds it
            goes on from it, or begins anew where it cannot be used.
        on_step: called with step, loss and training seconds.

    Raises:
        Diverged: the training broke down.
        InputError: the checkpoint cannot be written.
    """
    state = _fresh(architecture, recipe, device)
    if checkpoint is not None and checkpoint.exists():
        try:
            state.load(checkpoint)
        except InputError:
            # A damaged one costs some steps again, not the search; half of it may be loaded.
            state = _fresh(architecture, recipe, device)
    keeper = _Keeper(state, checkpoint)

    def tell(step: int, loss: float) -> None:
        keeper.step()
        if on_step is not None:
            on_step(step, loss, state.seconds)

    try:
        train(state, patches, recipe, on_step=tell)
    except KeyboardInterrupt:
        keeper.save()
        raise
    network = state.averaged(recipe)
    assert isinstance(network, Network)
    quality = validate(network, dataset.validation, dataset.scale, colors=architecture.colors)
    if not (math.isfinite(quality.psnr_y_db) and math.isfinite(quality.ssim_y)):
        raise Diverged(
            f"diverged: a PSNR of {quality.psnr_y_db} dB on the validation photos",
            state.step,
            state.recent_loss,
        )
    return Trained(network, quality.psnr_y_db, quality.ssim_y, state.step, state.seconds)


def _fresh(architecture: Architecture, recipe: Recipe, device: str) -> TrainState:
    network = seeded(lambda: build(architecture), recipe.seed)
    return start(network, recipe, device=device, colors=architecture.colors)


class _Keeper:
    """Saves the training's state every half minute."""

    def __init__(self, state: TrainState, path: Path | None) -> None:
        self._state, self._path, self._saved = state, path, time.monotonic()

    def step(self) -> None:
        if time.monotonic() - self._saved > _CHECKPOINT_SECONDS:
            self.save()

    def save(self) -> None:
        if self._path is not None and self._state.step:
            self._state.save(self._path)
        self._saved = time.monotonic()
