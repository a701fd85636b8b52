"""What the tests of full trainings share: their files, ways to stop and to break them."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from nas.training.checkpoint import Progress
from nas.training.events import TrainingEvent, TrainingStep
from nas.training.loop import train
from nas.training.schedule import FullRecipe
from search_spaces import load

__all__ = ["Whole", "broken", "history", "muon", "same", "stopping", "weights"]


class Whole(NamedTuple):
    """A training that nobody has stopped: its folder, what it told and what it came to."""

    run: Path
    events: list[TrainingEvent]
    progress: Progress


def weights(run: Path, which: str = "last") -> dict[str, torch.Tensor]:
    return load(run / f"{which}.safetensors").state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def stopping(step: int) -> Callable[[TrainingEvent], None]:
    """Ctrl-C while a step runs: by a real signal to this process."""
    done: list[int] = []

    def watch(event: TrainingEvent) -> None:
        if isinstance(event, TrainingStep) and event.step >= step and not done:
            done.append(step)
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def muon(full: FullRecipe) -> FullRecipe:
    """The same with Muon, from photos."""
    changes = {"optimizer": "muon", "filter_rate": 0.2, "first_weights": "photos"}
    phases = tuple(phase.replace(**changes) for phase in full.phases)
    return FullRecipe(name=full.name, source=full.source, phases=phases)


def broken(times: int) -> Any:
    """The loop, which finds a divergence at step 7, so often."""
    left = [times]

    def broken_train(state: Any, patches: Any, recipe: Any, until: int, **rest: Any) -> Any:
        if until >= 7 and left[0] and recipe.loss == "l1":
            left[0] -= 1
            with torch.no_grad():
                next(state.network.parameters()).fill_(torch.nan)
        return train(state, patches, recipe, until, **rest)

    return broken_train
