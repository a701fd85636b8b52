"""The seam between a search and what its networks are worth.

A search asks a :class:`Trainer` to bring one network to a certain step and to say what it is
worth there; everything else of the search knows nothing of photos and tensors. So the very same
search runs on a recorded table, without any training::

    class Recorded:
        photos = nas.Photos("table", "0" * 16)

        def advance(self, architecture, until_step, *, checkpoint, on_step):
            row = table[architecture.hash, until_step]
            return nas.Rung(until_step, row.psnr_y_db, row.ssim_y, row.seconds)

        def save_weights(self, architecture, checkpoint, path):
            pass

        def forget(self, checkpoint):
            pass

    settings = nas.make_settings("600K-params", trials=300, storage="memory", run=folder)
    prices = nas.Prices(settings.budget, settings.hr)
    nas.run_search(settings, trainer=Recorded(), meter=prices)

:class:`nas.Prices` gives a network's prices without measuring its latency.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nas.objectives import OBJECTIVES, Objective
from nas.records import Rung
from search_spaces import Architecture, Network, build, save_weights

if TYPE_CHECKING:
    from nas.data import Dataset
    from nas.explore.settings import SearchSettings
    from nas.training.recipe import Recipe
    from nas.training.state import TrainState

__all__ = ["NetworkTrainer", "OnStep", "Photos", "Trainer", "dataset_of"]

_LEAST_RATE_FACTOR = 0.5

OnStep = Callable[[int, float, float], None]
"""Told of every step: its number from 1, its loss, and the training's seconds so far."""


@dataclass(frozen=True)
class Photos:
    """What networks are trained and judged on.

    Attributes:
        name: of the data set.
        fingerprint: of its pixels and its split.
        train: how many photos are trained on.
        validation: the names of those that judge.
        bicubic_psnr_y_db: PSNR-Y of bicubic upscaling on these, dB.
        bicubic_ssim_y: its SSIM-Y, 0..1.
        skipped: how many image files were left out, by reason.
        baseline: what has these two, as in ``nas.evaluate.baseline``.
    """

    name: str
    fingerprint: str
    train: int = 0
    validation: tuple[str, ...] = ()
    bicubic_psnr_y_db: float = math.nan
    bicubic_ssim_y: float = math.nan
    skipped: dict[str, int] = field(default_factory=dict)
    baseline: str = "bicubic"


class Trainer(Protocol):
    """Says what networks are worth after so many steps; one of your own needs only these methods.

    ``nas.run_search(settings, trainer=...)`` asks it: docs/replay.md has one that looks up
    recorded trainings.
    """

    @property
    def photos(self) -> Photos:
        """What it trains and judges on."""

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        """Brings a network to ``until_step``, from its checkpoint where there is one.

        Args:
            architecture: the network.
            until_step: optimiser steps in all, more than it had before.
            checkpoint: where its training is kept; one of ``until_step`` is left there.
            on_step: told of every step.

        Returns:
            What the averaged weights are worth then.

        Raises:
            Diverged: the training broke down, with smaller steps as well.
        """

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        """Writes the averaged weights of a network that has come to its last step."""

    def forget(self, checkpoint: Path) -> None:
        """Removes what is kept of a training that is over."""


def dataset_of(settings: SearchSettings) -> Dataset:
    """The photos of a search, split as it splits them.

    Raises:
        InputError: photos that cannot be used.
    """
    from nas.data import load_dataset

    return load_dataset(settings.scale, settings.places, lr_size=settings.recipe.lr_size)


class NetworkTrainer:
    """Trains networks on photos. A pause changes no bit of them on a CPU.

    A training that diverges is begun again, once, at half the step sizes: deep trunks without
    residuals do not bear the ones that serve all others best.

    Args:
        dataset: its validation photos judge the networks; all train on the same batches.
        recipe: how to train, and the seed of the batches and of the first weights.
        device: where.
        judges: objectives of one's own that trained networks are judged by as well.
    """

    def __init__(
        self,
        dataset: Dataset,
        recipe: Recipe,
        *,
        device: str = "cpu",
        judges: Sequence[Objective] = (),
    ) -> None:
        from nas.data import Patches
        from nas.evaluate.baseline import baseline
        from nas.evaluate.validate import bicubic_quality

        self.dataset, self.recipe, self.device, self.judges = dataset, recipe, device, judges
        self.patches = Patches.of(dataset.train, dataset.scale, recipe)
        bicubic = bicubic_quality(dataset.validation, dataset.scale)
        self._photos = Photos(
            dataset.name,
            dataset.fingerprint,
            len(dataset.train),
            tuple(photo.name for photo in dataset.validation),
            bicubic.psnr_y_db,
            bicubic.ssim_y,
            dict(dataset.skipped),
            baseline(dataset.scale),
        )

    @classmethod
    def of(cls, settings: SearchSettings, device: str) -> NetworkTrainer:
        """The trainer of a search.

        Raises:
            InputError: photos that cannot be used.
        """
        weighed = [OBJECTIVES[name] for name in settings.objectives]
        judges = [one for one in weighed if one.worth is not None]
        return cls(dataset_of(settings), settings.recipe, device=device, judges=judges)

    @property
    def photos(self) -> Photos:
        return self._photos

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        from nas.training.loop import Diverged

        state = self._state(architecture, checkpoint)
        try:
            return self._advance(architecture, state, until_step, checkpoint, on_step)
        except Diverged:
            if state.rate_factor <= _LEAST_RATE_FACTOR:
                raise
        seconds = state.seconds
        state = self._fresh(architecture)
        state.seconds, state.rate_factor = seconds, _LEAST_RATE_FACTOR
        # Whoever goes on from here after an interruption is not to diverge a second time first.
        state.save(checkpoint)
        return self._advance(architecture, state, until_step, checkpoint, on_step)

    def _advance(
        self,
        architecture: Architecture,
        state: TrainState,
        until_step: int,
        checkpoint: Path,
        on_step: OnStep,
    ) -> Rung:
        from nas.stopping import current_wish
        from nas.training.checkpointed import train_checkpointed

        train_checkpointed(
            state,
            self.patches,
            self.recipe.slowed(state.rate_factor),
            checkpoint,
            until_step=until_step,
            on_step=lambda step, loss: on_step(step, loss, state.seconds),
        )
        try:
            with current_wish().at_once():
                rung = self._judge(architecture, state)
        except KeyboardInterrupt:
            # Judging is done again, the training is not.
            state.save(checkpoint)
            raise
        state.save(checkpoint)
        return rung

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        state, steps = self._state(architecture, checkpoint), self.recipe.steps
        if state.step < steps:
            # Lost or damaged since: that costs the training again, not the search.
            self.advance(architecture, steps, checkpoint=checkpoint, on_step=lambda *_: None)
            state = self._state(architecture, checkpoint)
        averaged = state.averaged()
        assert isinstance(averaged, Network)
        save_weights(averaged, path)

    def forget(self, checkpoint: Path) -> None:
        checkpoint.unlink(missing_ok=True)

    def scores(self, architecture: Architecture) -> dict[str, float]:
        """The network's zero-cost scores on the first batch, by name."""
        import torch

        from nas.evaluate.zero_cost import zero_cost_scores
        from nas.training.loop import unit

        batch, cpu = self.patches.batch(0), torch.device("cpu")
        lr, hr = (unit(one, architecture.colors, cpu) for one in batch)
        return zero_cost_scores(build(architecture), lr, hr, seed=self.recipe.seed)

    def _judge(self, architecture: Architecture, state: TrainState) -> Rung:
        from nas.evaluate.validate import validate
        from nas.training.loop import Diverged

        averaged = state.averaged()
        assert isinstance(averaged, Network)
        quality = validate(
            averaged,
            self.dataset.validation,
            self.dataset.scale,
            colors=architecture.colors,
        )
        if not (math.isfinite(quality.psnr_y_db) and math.isfinite(quality.ssim_y)):
            raise Diverged(
                f"diverged: a PSNR of {quality.psnr_y_db} dB on the validation photos",
                state.step,
                state.recent_loss,
            )
        return Rung(
            state.step,
            quality.psnr_y_db,
            quality.ssim_y,
            round(state.seconds, 3),
            state.rate_factor,
            self._own(averaged, state.step),
        )

    def _own(self, network: Network, step: int) -> dict[str, float]:
        """What the network is worth by objectives of one's own, those that are asked now."""
        found = {
            one.name: float(one.worth(network.eval(), self.dataset.validation))
            for one in self.judges
            if one.worth is not None and (step == self.recipe.steps or not one.at_end)
        }
        return {name: figure for name, figure in found.items() if math.isfinite(figure)}

    def _state(self, architecture: Architecture, checkpoint: Path) -> TrainState:
        from nas.training.state import resumed

        fresh = partial(self._fresh, architecture)
        return resumed(fresh, checkpoint, blank=partial(fresh, first_weights=False))

    def _fresh(self, architecture: Architecture, *, first_weights: bool = True) -> TrainState:
        from nas.training.first_weights import set_first_weights
        from nas.training.state import seeded, start

        network = seeded(lambda: build(architecture), self.recipe.seed)
        if first_weights:
            set_first_weights(network, self.patches, self.recipe)
        return start(network, self.recipe, device=self.device, colors=architecture.colors)
