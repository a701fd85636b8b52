"""Searches that train nothing and are over at once, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from nas.explore.events import Event
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.trainer import OnStep, Photos
from nas.latency.meter import Figures, Meter, Prices
from nas.records import INTERRUPTED, PROMOTED, REJECTED, Rung, TrialRecord
from nas.run import Run
from nas.store.study import open_storage
from nas.training.loop import Diverged
from search_spaces import Architecture, price

__all__ = ["ByParameters", "MadeUp", "kept", "networks", "recorded", "study_of", "told"]


class MadeUp:
    """A made-up table: what networks are worth follows from their hash and price alone."""

    photos = Photos("table", "0" * 16)

    def __init__(self, broken: Sequence[int] = (), die_at: int | None = None) -> None:
        self.advanced: list[tuple[str, int]] = []
        self.saved: list[str] = []
        self.forgotten: list[Path] = []
        self.broken, self.die_at = broken, die_at

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        if len(self.advanced) == self.die_at:
            raise KeyboardInterrupt
        self.advanced.append((architecture.hash, until_step))
        if len(self.advanced) in self.broken:
            raise Diverged("diverged: the loss is nan at step 3", 3, float("nan"))
        on_step(until_step, 0.1, 1.0)
        rng = np.random.default_rng(int(architecture.hash, 16))
        worth = 25 + np.log10(price(architecture).params) + rng.normal(0, 0.2)
        return Rung(until_step, float(worth - 2 / until_step), 0.8, until_step * 0.1)

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        self.saved.append(architecture.hash)

    def forget(self, checkpoint: Path) -> None:
        self.forgotten.append(checkpoint)


class ByParameters(Meter):
    """Networks that take a millisecond for each thousand parameters."""

    def figure(self, arch: Architecture, name: str) -> float:
        if name == "latency":
            return super().figure(arch, "params") / 1e3
        return super().figure(arch, name)

    def measure(self, arch: Architecture) -> Figures:
        figures = self.prices(arch)
        return replace(figures, latency_ms=figures.params / 1e3)


def recorded(
    folder: Path,
    trials: int,
    trainer: MadeUp | None = None,
    events: list[Event] | None = None,
    **more: Any,
) -> Run:
    """A search on the made-up table; its study lies in memory unless a ``storage`` is given."""
    options: dict[str, Any] = {
        "space": "tiny",
        "profile": "smoke",
        "rungs": 3,
        "eta": 3.0,
        "candidates": 1,
        "sampler": "random",
        "storage": "memory",
    }
    options |= more
    settings = make_settings(["40K-params"], trials=trials, run=folder, **options)
    observer = events.append if events is not None else None
    meter = Prices(settings.budget)
    return run_search(settings, observer, trainer=trainer or MadeUp(), meter=meter)


def kept(folder: Path, trials: int, trainer: MadeUp | None = None, **more: Any) -> Run:
    """The same with its study in the folder: for what opens it again."""
    return recorded(folder, trials, trainer, **{"storage": None, **more})


def networks(run: Run) -> list[TrialRecord]:
    """One record a network: rejected ones and those that later trials went on with left out."""
    return [r for r in run.records() if r.state not in (PROMOTED, INTERRUPTED, REJECTED)]


def told(records: Sequence[TrialRecord]) -> list[tuple[str, str, str]]:
    """What has to be equal between two searches, to the last bit."""
    return [
        (r.architecture_hash, r.state, repr([(g.step, g.psnr_y_db, g.ssim_y) for g in r.rungs]))
        for r in records
    ]


def study_of(run: Run) -> optuna.Study:
    return optuna.load_study(study_name=run.about["study"], storage=open_storage(run.storage))
