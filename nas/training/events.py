"""What a training tells while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = [
    "RolledBack",
    "Saved",
    "TrainingEnded",
    "TrainingEvent",
    "TrainingStarted",
    "TrainingStep",
    "Validated",
    "Watcher",
]


@dataclass(frozen=True, slots=True)
class TrainingStarted:
    """Before the first step of this start.

    Attributes:
        run: folder.
        network: architecture hash.
        params: of the network as trained.
        recipe: its name.
        step: steps done by earlier starts.
        steps: in all.
        phases: how many.
        device: where it trains.
        processes: how many train together.
        data: name of the photos.
        train_photos: how many.
        bicubic_psnr_y_db: what bicubic upscaling reaches on each validation set, or, at scale 1,
            the input.
        notes: lines that the user should know.
        baseline: which of the two it is, as in `nas.evaluate.baseline`.
    """

    run: str
    network: str
    params: int
    recipe: str
    step: int
    steps: int
    phases: int
    device: str
    processes: int
    data: str
    train_photos: int
    bicubic_psnr_y_db: Mapping[str, float]
    notes: tuple[str, ...]
    baseline: str


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """After a step; ``step`` counts over all phases, ``seconds`` are those of this start."""

    step: int
    phase: int
    loss: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Validated:
    """After a validation of the averaged weights.

    Attributes:
        step: over all phases.
        phase: from 0.
        psnr_y_db: mean of each set, dB.
        best_psnr_y_db: the best so far on the first set.
        best_step: where that was.
    """

    step: int
    phase: int
    psnr_y_db: Mapping[str, float]
    best_psnr_y_db: float
    best_step: int


@dataclass(frozen=True, slots=True)
class Saved:
    """After a checkpoint."""

    step: int


@dataclass(frozen=True, slots=True)
class RolledBack:
    """After a divergence: training goes on from an earlier step with a smaller step size."""

    reason: str
    step: int
    rate_factor: float


@dataclass(frozen=True, slots=True)
class TrainingEnded:
    """After the last step.

    Attributes:
        step: of all phases.
        best_psnr_y_db: the best on the first set.
        best_step: where that was.
        seconds: of the training over all starts.
        bicubic_psnr_y_db: of bicubic upscaling, or the input, on that set; NaN where nothing was
            measured.
        proxy_psnr_y_db: what the search's short training reached on that set, if there was one.
        baseline: as in `TrainingStarted`.
    """

    step: int
    best_psnr_y_db: float
    best_step: int
    seconds: float
    bicubic_psnr_y_db: float
    proxy_psnr_y_db: float | None
    baseline: str


TrainingEvent = TrainingStarted | TrainingStep | Validated | Saved | RolledBack | TrainingEnded
Watcher = Callable[[TrainingEvent], None]
