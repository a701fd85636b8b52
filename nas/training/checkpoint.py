"""Where a full training stands, in one file: the state of its phase, and what came before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from nas.training.state import TrainState, write_tensors
from search_spaces.errors import InputError, first_line
from search_spaces.tensors import read_tensors

__all__ = ["Progress", "read_checkpoint", "sound", "write_checkpoint"]

_FORMAT = 1
Row = dict[str, float | int | None]

_LABELS = {
    "network": "network",
    "init": "initial weights (--init)",
    "teacher": "teacher (--teacher, or the recipe's)",
    "recipe": "recipe",
    "precision": "precision (--precision)",
    "seed": "seed",
    "data": "photos (--data, --val)",
    "validate_every": "--validate-every",
}


@dataclass(slots=True)
class Progress:
    """What a training remembers beside the state of its phase.

    Attributes:
        phase: number of the phase, from 0; after the last one, the number of phases.
        best_psnr_y_db: best mean on the first validation set so far, None before the first.
        best_step: its step, over all phases.
        rate_factor: by what the recipe's step sizes are multiplied, after a divergence.
        rows: of history.csv.
    """

    phase: int = 0
    best_psnr_y_db: float | None = None
    best_step: int = 0
    rate_factor: float = 1.0
    rows: list[Row] = field(default_factory=list)


def write_checkpoint(
    path: Path, identity: Mapping[str, str], progress: Progress, state: TrainState
) -> None:
    """Writes it whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    content = {
        "format": _FORMAT,
        "identity": dict(identity),
        "progress": asdict(progress),
        "state": state.content(),
    }
    write_tensors(path, content)


@contextmanager
def sound(path: Path) -> Iterator[None]:
    """Turns whatever torch makes of a damaged checkpoint into one clear line.

    Raises:
        InputError: the training cannot go on from it.
    """
    try:
        yield
    except Exception as error:
        # torch.load raises six kinds of exception for a damaged file, and some for tensors of
        # other shapes, in many lines.
        raise InputError(
            f"cannot go on from {path}: {first_line(error)}; give another --run folder, or delete "
            f"this one"
        ) from error


def read_checkpoint(
    path: Path, identity: Mapping[str, str], device: torch.device
) -> tuple[Progress, dict[str, Any]]:
    """Reads it without running any code in it; the second part is for `TrainState.restore`.

    Raises:
        InputError: damaged, or of another training, with what differs.
    """
    with sound(path):
        content: dict[str, Any] = read_tensors(path, device)
        if content["format"] != _FORMAT:
            raise ValueError("it has another format")
        found, progress = dict(content["identity"]), Progress(**content["progress"])
        state: dict[str, Any] = content["state"]
    other = [label for key, label in _LABELS.items() if found.get(key) != identity.get(key)]
    if other:
        raise InputError(
            f"{path.parent} holds a training with another {' and another '.join(other)}; expected "
            f"the command that began it, or another --run folder"
        )
    return progress, state
