"""Everything that a training has to remember from one step to the next."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from nas.training.optimizers import Optimizers, optimizers_for, trainable
from nas.training.recipe import Recipe
from search_spaces.errors import InputError, WriteError, first_line
from search_spaces.files import atomic_path
from search_spaces.tensors import read_tensors, to_bytes

__all__ = [
    "TrainState",
    "resumed",
    "seeded",
    "share_of_newest",
    "start",
    "trainable",
    "write_tensors",
]

T = TypeVar("T")
_FORMAT = 3


@dataclass(slots=True)
class TrainState:
    """A training that can pause after any step and go on to the same bits on a CPU.

    Attributes:
        network: as trained, float32, channels_last.
        optimizer: with its moments.
        average: of past weights, for each trainable parameter.
        colors: 3 or 1 (trained on luma).
        step: optimiser steps done.
        recent_loss: exponential mean over about 10 steps.
        best_loss: lowest ``recent_loss`` so far.
        seconds: wall time of the training so far.
        rate_factor: share of the recipe's step sizes that it takes, 1 unless it diverged before.
    """

    network: nn.Module
    optimizer: Optimizers
    average: list[Tensor]
    colors: int = 3
    step: int = 0
    recent_loss: float = math.nan
    best_loss: float = math.inf
    seconds: float = 0.0
    rate_factor: float = 1.0

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device

    def averaged(self) -> nn.Module:
        """A copy of the network with the averaged weights, in evaluation mode.

        Before the first step: the weights as they are.
        """
        network = copy.deepcopy(self.network)
        if self.step:
            with torch.no_grad():
                for parameter, mean in zip(trainable(network), self.average, strict=True):
                    parameter.copy_(mean)
        return network.eval().requires_grad_(False)

    def content(self) -> dict[str, Any]:
        """Everything as tensors and plain values; the tensors are the state's own."""
        return {
            "format": _FORMAT,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "numbers": {name: getattr(self, name) for name in _NUMBERS},
        }

    def restore(self, content: dict[str, Any]) -> TrainState:
        """Take over what `content` gave; ``self`` is a state of the same architecture.

        Raises:
            ValueError: of another network or another format.
        """
        if content["format"] != _FORMAT or len(content["average"]) != len(self.average):
            raise ValueError("it holds another network or another format")
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        for total, stored in zip(self.average, content["average"], strict=True):
            total.copy_(stored)
        for name in _NUMBERS:
            setattr(self, name, content["numbers"][name])
        return self

    def save(self, path: Path | str) -> None:
        """Write the state, tensors and plain numbers only.

        Raises:
            InputError: the file cannot be written.
        """
        write_tensors(path, self.content())

    def load(self, path: Path | str) -> TrainState:
        """Take over what `save` wrote; ``self`` is a fresh state of the same architecture.

        The file is read without running any code in it.

        Raises:
            InputError: no such file, damaged, or of another network.
        """
        try:
            return self.restore(read_tensors(path, self.device))
        except Exception as error:
            # torch.load raises six kinds of exception for a damaged file.
            told = f"cannot resume the training from {path}: {first_line(error)}"
            raise InputError(told) from error


_NUMBERS = ("colors", "step", "recent_loss", "best_loss", "seconds", "rate_factor")


def write_tensors(path: Path | str, content: dict[str, Any]) -> None:
    """Write tensors and plain values for ``torch.load(weights_only=True)``, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(to_bytes(content))
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteError(f"cannot write {path}: {reason}; is the disk full?") from error


def resumed(
    fresh: Callable[[], TrainState],
    checkpoint: Path,
    blank: Callable[[], TrainState] | None = None,
) -> TrainState:
    """The state in a checkpoint, or a fresh one where there is none that can be used.

    A damaged one costs some steps again, not all that hangs on them. ``blank`` makes what a
    checkpoint is loaded into, where that is cheaper than a fresh one.
    """
    if checkpoint.exists():
        try:
            return (blank or fresh)().load(checkpoint)
        except InputError:
            # Half of it may be loaded.
            pass
    return fresh()


def seeded(build: Callable[[], T], seed: int) -> T:
    """What ``build()`` returns with torch's random numbers seeded; the caller's stay as they are.

    The same architecture and seed give the same initial weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def start(
    network: nn.Module, recipe: Recipe, *, device: torch.device | str = "cpu", colors: int = 3
) -> TrainState:
    """Step 0 of a training: the network moved to ``device`` in channels_last, nothing averaged yet.

    Raises:
        InputError: the network has no trainable parameter.
    """
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    parameters = trainable(network)
    if not parameters:
        raise InputError("the network has no trainable parameter, so there is nothing to train")
    return TrainState(
        network,
        optimizers_for(network, recipe),
        [torch.zeros_like(one) for one in parameters],
        colors,
    )


def share_of_newest(averaged_share: float, step: int) -> float:
    """What of the average the weights after ``step`` steps (from 1) make up, 0 to 1.

    With it at every step, those after step t weigh in proportion to t ** (1 / share - 1).
    """
    if averaged_share == 0:
        return 1.0
    return float(1 - (1 - 1 / step) ** (1 / averaged_share))
