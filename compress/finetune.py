"""Training that goes on from given weights, by the one training loop."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from compress.distill import Along, Distillation, Teaching
from nas.data import Dataset, Patches
from nas.evaluate.validate import Quality, validate
from nas.training.checkpointed import train_checkpointed
from nas.training.loop import Diverged, OnStep, unit
from nas.training.recipe import Recipe
from nas.training.state import TrainState, resumed, start
from search_spaces.network import Network, build

__all__ = [
    "Tuned", "copied", "finetune", "forget", "images_of", "leave_gradients", "psnr_of",
    "quality_of",
]  # fmt: skip

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
    teaching: Teaching | None = None,
    checkpoint: Path | None = None,
    on_step: OnStep | None = None,
) -> Tuned:
    """Trains a copy by ``recipe`` and keeps what is better on the validation photos.

    Args:
        network: what to start from; it stays.
        dataset: photos to train and to validate on.
        recipe: of the training.
        device: to train on.
        teaching: what the network learns from instead of the recipe's loss, if anything.
        checkpoint: a name beside which the training's state is kept, every half minute and at
            the end; a training of the same network, photos, recipe and teachers that finds it
            there goes on from it. `forget` deletes what was kept.
        on_step: called with the steps done and the loss.

    Raises:
        InputError: a teacher that does not fit the network, or a folder that cannot be written.
    """
    before_db = psnr_of(network, dataset, device)
    taught: Distillation | None = None
    if teaching is not None:
        taught = Distillation(network, teaching, device=device, seed=recipe.seed)

    def fresh() -> TrainState:
        module: torch.nn.Module = copied(network)
        if taught is not None:
            module = Along(copied(network), copy.deepcopy(taught.adapters))
        return start(module, recipe, device=device, colors=network.architecture.colors)

    path = _file(checkpoint, network, dataset, recipe, teaching)
    state = fresh() if path is None else resumed(fresh, path)
    patches = Patches.of(dataset.train, dataset.scale, recipe)
    try:
        train_checkpointed(state, patches, recipe, path, objective=taught, on_step=on_step)
    except Diverged:
        return Tuned(network, before_db, None, False)
    if path is not None:
        state.save(path)
    averaged = state.averaged()
    tuned = build(network.architecture)
    tuned.load_state_dict(getattr(averaged, "network", averaged).state_dict())
    after_db = psnr_of(tuned, dataset, device)
    kept = after_db > before_db
    return Tuned(tuned.eval() if kept else network, before_db, after_db, kept)


def forget(checkpoint: Path) -> None:
    """Deletes the states of the trainings that were kept beside this name."""
    for path in checkpoint.parent.glob(f".{checkpoint.name}.*.training"):
        path.unlink(missing_ok=True)


def _file(
    stem: Path | None,
    network: Network,
    dataset: Dataset,
    recipe: Recipe,
    teaching: Teaching | None,
) -> Path | None:
    """The checkpoint's name tells trainings apart, so that none goes on with another's."""
    if stem is None:
        return None
    digest = hashlib.sha256(json.dumps(recipe.model_dump(mode="json")).encode())
    digest.update(dataset.fingerprint.encode())
    digest.update(repr(teaching and (teaching.lessons, teaching.weights)).encode())
    for one in (network, *(teaching.teachers if teaching else ())):
        digest.update(one.architecture.hash.encode())
        for tensor in one.state_dict().values():
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return stem.with_name(f".{stem.name}.{digest.hexdigest()[:12]}.training")


def copied(network: Network) -> Network:
    """The same network again, with weights of its own."""
    twin = build(network.architecture)
    twin.load_state_dict(network.state_dict())
    return twin


def quality_of(network: Network, dataset: Dataset, device: torch.device | str = "cpu") -> Quality:
    """On the validation photos; the network stays where it is."""
    arch, moved = network.architecture, copied(network).to(device)
    return validate(moved, dataset.validation, arch.scale, colors=arch.colors)


def psnr_of(network: Network, dataset: Dataset, device: torch.device | str = "cpu") -> float:
    """The mean PSNR-Y of it, dB."""
    return quality_of(network, dataset, device).psnr_y_db


def images_of(network: Network, dataset: Dataset, *, count: int = 24) -> torch.Tensor:
    """(count, colors, h, w) patches of the training photos in 0..1, as the network takes them."""
    shortest = min(photo.short_side for photo in dataset.train)
    size = min(48, shortest // dataset.scale)
    patches = Patches(dataset.train, dataset.scale, lr_size=size, batch=count, seed=0)
    return unit(patches.batch(0).lr, network.architecture.colors, torch.device("cpu"))


def leave_gradients(dataset: Dataset, recipe: Recipe, network: Network) -> None:
    """Leaves the gradients of the mean absolute error over a few batches on the network."""
    patches = Patches.of(dataset.train, dataset.scale, recipe)
    colors, cpu = network.architecture.colors, torch.device("cpu")
    network.zero_grad(set_to_none=True)
    for step in range(_GRADIENT_BATCHES):
        lr, hr = (unit(one, colors, cpu) for one in patches.batch(step))
        F.l1_loss(network(lr), hr).backward()
