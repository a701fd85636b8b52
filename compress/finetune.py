"""Training that goes on from given weights, by the one training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from nas.data import Dataset, Patches
from nas.evaluate.quality import luma
from nas.evaluate.recipe import Recipe
from nas.evaluate.state import start
from nas.evaluate.train import Diverged, Objective, l1, train
from nas.evaluate.validate import validate
from search_spaces.network import Network, build

__all__ = ["Gradients", "Tuned", "finetune", "images_of", "psnr_of"]

OnStep = Callable[[int, float], None]

_GRADIENT_BATCHES = 8


@dataclass(frozen=True, slots=True)
class Tuned:
    """What fine-tuning made of a network.

    Attributes:
        network: the better of before and after, in evaluation mode on the CPU.
        before_db: PSNR-Y on the validation photos before.
        after_db: and after; None where the training diverged.
        kept: the fine-tuned weights are the better ones.
    """

    network: Network
    before_db: float
    after_db: float | None
    kept: bool


def finetune(
    network: Network,
    dataset: Dataset,
    recipe: Recipe,
    *,
    device: torch.device | str = "cpu",
    objective: Objective = l1,
    on_step: OnStep | None = None,
) -> Tuned:
    """Trains a copy by ``recipe`` and keeps what is better on the validation photos."""
    before_db = psnr_of(network, dataset, device)
    colors = network.architecture.colors
    copied = build(network.architecture)
    copied.load_state_dict(network.state_dict())
    state = start(copied, recipe, device=device, colors=colors)
    patches = Patches(
        dataset.train, dataset.scale, lr_size=recipe.lr_size, batch=recipe.batch, seed=recipe.seed
    )
    try:
        train(state, patches, recipe, objective=objective, on_step=on_step)
    except Diverged:
        return Tuned(network, before_db, None, False)
    tuned = build(network.architecture)
    tuned.load_state_dict(state.averaged(recipe).state_dict())
    after_db = psnr_of(tuned, dataset, device)
    kept = after_db > before_db
    return Tuned(tuned.eval() if kept else network, before_db, after_db, kept)


def psnr_of(network: Network, dataset: Dataset, device: torch.device | str = "cpu") -> float:
    """Mean PSNR-Y in dB on the validation photos; the network stays where it is."""
    copied = build(network.architecture)
    copied.load_state_dict(network.state_dict())
    arch = network.architecture
    quality = validate(copied.to(device), dataset.validation, arch.scale, colors=arch.colors)
    return quality.psnr_y_db


def images_of(network: Network, dataset: Dataset, *, count: int = 24) -> torch.Tensor:
    """(count, colors, h, w) patches of the training photos in 0..1, as the network takes them."""
    shortest = min(photo.short_side for photo in dataset.train)
    size = min(48, shortest // dataset.scale)
    patches = Patches(dataset.train, dataset.scale, lr_size=size, batch=count, seed=0)
    return _unit(patches.batch(0).lr, network.architecture.colors)


@dataclass(frozen=True, slots=True)
class Gradients:
    """Leaves the gradients of the mean absolute error over a few batches on a network."""

    dataset: Dataset
    recipe: Recipe

    def __call__(self, network: Network) -> None:
        recipe = self.recipe
        patches = Patches(
            self.dataset.train,
            self.dataset.scale,
            lr_size=recipe.lr_size,
            batch=recipe.batch,
            seed=recipe.seed,
        )
        network.zero_grad(set_to_none=True)
        for step in range(_GRADIENT_BATCHES):
            batch = patches.batch(step)
            colors = network.architecture.colors
            loss = F.l1_loss(network(_unit(batch.lr, colors)), _unit(batch.hr, colors))
            loss.backward()


def _unit(pixels: torch.Tensor, colors: int) -> torch.Tensor:
    """uint8 (N, 3, h, w) as float32 in 0..1, luma for networks of one colour."""
    if colors == 3:
        return pixels.to(torch.float32) / 255
    planes = np.stack([luma(image) for image in pixels.permute(0, 2, 3, 1).numpy()])
    return torch.from_numpy(planes).to(torch.float32).unsqueeze(1) / 255
