"""What a search tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nas.records import TrialRecord

__all__ = [
    "DeviceAway",
    "Event",
    "MachineBusy",
    "NetworksMeasured",
    "Observer",
    "SearchEnded",
    "SearchStarted",
    "TrainingStep",
    "TrialEnded",
    "TrialMeasuring",
    "TrialPromoted",
    "TrialRejected",
    "TrialStarted",
    "WorkerLost",
]


@dataclass(frozen=True, slots=True)
class NetworksMeasured:
    """Before a search with a latency budget: so many of the first networks are measured."""

    done: int
    networks: int


@dataclass(frozen=True, slots=True)
class MachineBusy:
    """Networks take so many times as long as they would if others left the machine; said once."""

    times: float


@dataclass(frozen=True, slots=True)
class DeviceAway:
    """The device behind a latency command told no time, and why; it is tried again."""

    line: str


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """The data are read and the study is open.

    ``trained`` networks of ``goal`` are there already; ``skipped`` says how many image
    files were left out, by reason; at the steps in ``rungs`` a network is judged;
    ``latency`` says what networks are measured on, where the search weighs that;
    ``baseline`` names what has the ``bicubic_psnr_y_db``, as in ``nas.evaluate.baseline``;
    ``notes`` are further lines for the user.
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
    rungs: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    latency: str = ""
    baseline: str = "bicubic"


@dataclass(frozen=True, slots=True)
class TrialMeasuring:
    """A network's latency is about to be measured.

    Of those measured before it, so many in a row were over a budget and not trained.
    """

    number: int
    over: int = 0


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A network within all budgets is about to be trained until a step.

    One whose record has rungs goes on from the last of them, or from wherever it was
    interrupted.
    """

    record: TrialRecord
    until: int


@dataclass(frozen=True, slots=True)
class TrainingStep:
    """One optimiser step of a trial; ``seconds`` is its training time so far.

    ``steps`` is where it comes to a rung next.
    """

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
class TrialPromoted:
    """A trial at a rung goes on until a step without a pause: it is among the best there."""

    record: TrialRecord
    until: int


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """A trial that finished, failed or stopped at a rung, and where the search stands now.

    Its record's state says which. Of the ``trained`` networks so many are ``stopped`` for now.
    """

    record: TrialRecord
    trained: int
    goal: int
    front_size: int
    best: TrialRecord | None
    stopped: int = 0


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
    NetworksMeasured
    | MachineBusy
    | DeviceAway
    | SearchStarted
    | TrialMeasuring
    | TrialStarted
    | TrainingStep
    | TrialPromoted
    | TrialRejected
    | TrialEnded
    | WorkerLost
    | SearchEnded
)
Observer = Callable[[Event], None]
