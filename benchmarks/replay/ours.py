"""The project's own search on the table: the loop that users run, a recorded trainer in it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import nas
from benchmarks.replay.history import Finish
from benchmarks.table.contents import RECIPE, SCALE, table_space
from benchmarks.table.table import Table
from nas.explore.trainer import OnStep
from nas.training.loop import Diverged
from search_spaces import Architecture

__all__ = ["replay"]


def replay(table: Table, trials: int, seed: int, budget: str, **settings: Any) -> list[Finish]:
    """One search for PSNR against parameters; ``settings`` are those of a search."""
    recorded = _Recorded(table)
    with tempfile.TemporaryDirectory() as folder:
        made = nas.make_settings(
            [budget] if budget else [],
            objectives="psnr,params",
            space=table_space(),
            scale=SCALE,
            recipe=RECIPE,
            trials=trials,
            seed=seed,
            storage="memory",
            run=Path(folder),
            **settings,
        )
        nas.run_search(made, trainer=recorded, meter=nas.Prices(made.budget, made.hr))
    return recorded.finishes


class _Recorded:
    """Looks up instead of training, and counts the steps that the training would have taken."""

    photos = nas.Photos("table", "0" * 16)

    def __init__(self, table: Table) -> None:
        self._rungs = table.rungs
        self._done: dict[str, int] = {}
        self._spent = 0
        self.finishes: list[Finish] = []

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> nas.Rung:
        name = architecture.hash
        self._spent += until_step - self._done.get(name, 0)
        self._done[name] = until_step
        rung = self._rungs.get((name, 0, until_step))
        if rung is None:
            raise Diverged("diverged in the table", until_step, float("nan"))
        if until_step == RECIPE.steps:
            self.finishes.append(Finish(self._spent, name))
        return rung

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        return None

    def forget(self, checkpoint: Path) -> None:
        return None
