"""A trainer that trains nothing, for searches that are over at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nas.evaluate.train import Diverged
from nas.explore.trainer import OnStep, Photos
from nas.records import Rung
from search_spaces import Architecture, price

__all__ = ["MadeUp"]


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
