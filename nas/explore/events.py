"""What a search tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nas.records import TrialRecord

__all__ = [
    "Event",
    "Observer",
    "SearchEnded",
    "SearchStarted",
    "TrainingStep",
    "TrialEnded",
    "TrialRejected",
    "TrialStarted",
    "WorkerLost",
]


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """The data are read and the study is open.

    ``trained`` networks of ``goal`` are there already; ``skipped`` says how many image
    files were left out, by reason.
    """

    run: str
    goal: int
    trained: int
    data: str
    train_photos: int
    validation_photos: int
    bicubic_psnr_y_db: float
    device: str
    steps: int
    skipped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A network within all budgets is about to be trained."""

    record: TrialRecord


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One optimiser step of a trial; ``seconds`` is its training time so far."""

    number: int
    step: int
    steps: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class TrialRejected:
    """A proposal that is not trained: over a budget, or known already."""

    record: TrialRecord


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """A trial that finished or failed, and where the search stands now."""

    record: TrialRecord
    trained: int
    goal: int
    front_size: int
    best: TrialRecord | None


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker of several died, for ``reason``; another has taken its place if ``replaced``."""

    worker: int
    reason: str
    replaced: bool


@dataclass(frozen=True, slots=True)
class SearchEnded:
    """The search stopped, for ``reason``: its goal, the time, an exhausted space, Ctrl-C."""

    reason: str
    trained: int
    goal: int


Event = (
    SearchStarted
    | TrialStarted
    | TrainingStep
    | TrialRejected
    | TrialEnded
    | WorkerLost
    | SearchEnded
)
Observer = Callable[[Event], None]
