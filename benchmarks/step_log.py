"""Writes down every training step and every checkpoint of a worker; for its option --import.

One line each into the file that the variable STEP_LOG names: ``step`` or ``saved``, the
network's hash, the number of the step, the process, the time.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import nas.explore.trainer as trainer
import nas.training.checkpointed as checkpointed
from nas.training.state import TrainState

_file = os.open(os.environ["STEP_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
_advance, _save = trainer.NetworkTrainer.advance, TrainState.save
# Trainings of a second or two are to have checkpoints as well.
checkpointed._CHECKPOINT_SECONDS = float(os.environ.get("STEP_LOG_CHECKPOINT_SECONDS", "0.2"))


def _note(kind: str, network: str, step: int) -> None:
    # One write of a short line reaches the file whole, whoever else writes at the time.
    os.write(_file, f"{kind} {network} {step} {os.getpid()} {time.time():.3f}\n".encode())


def _advance_and_note(
    self: trainer.NetworkTrainer,
    architecture: Any,
    until_step: int,
    *,
    checkpoint: Path,
    on_step: trainer.OnStep,
) -> Any:
    def tell(step: int, loss: float, seconds: float) -> None:
        _note("step", architecture.hash, step)
        on_step(step, loss, seconds)

    return _advance(self, architecture, until_step, checkpoint=checkpoint, on_step=tell)


def _save_and_note(self: TrainState, path: Path | str) -> None:
    _save(self, path)
    _note("saved", Path(path).stem, self.step)


setattr(trainer.NetworkTrainer, "advance", _advance_and_note)  # noqa: B010
setattr(TrainState, "save", _save_and_note)  # noqa: B010
