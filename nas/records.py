"""The record of one trial, and its way to and from Optuna's attributes and tables."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from annotated_types import Ge

from nas.plain import from_plain
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DUPLICATE",
    "FAILED",
    "FINISHED",
    "INTERRUPTED",
    "OVER_BUDGET",
    "PROMOTED",
    "REJECTED",
    "RUNNING",
    "STOPPED",
    "SURPLUS",
    "Rung",
    "TrialRecord",
    "to_frame",
]

FINISHED = "finished"
FAILED = "failed"
INTERRUPTED = "interrupted"
REJECTED = "rejected"
RUNNING = "running"
STOPPED = "stopped"
PROMOTED = "promoted"

OVER_BUDGET = "over budget"
DUPLICATE = "duplicate"
SURPLUS = "one more than was to be trained"

_STATES = (FINISHED, FAILED, INTERRUPTED, REJECTED, RUNNING, STOPPED, PROMOTED)
_HASH = re.compile("([0-9a-f]{16})?")
_NESTED = ("architecture", "made_with", "own", "rungs")


_Count: TypeAlias = Annotated[int, Ge(0)]
_Cost: TypeAlias = Annotated[float, Ge(0)]


@dataclass(frozen=True, slots=True)
class Rung:
    """What a network was worth after part of its training.

    Attributes:
        step: optimiser steps trained until then.
        psnr_y_db: PSNR on BT.601 luma with the averaged weights, mean over the photos, dB.
        ssim_y: SSIM on the same luma, 0..1.
        seconds: wall time of the training until then.
        rate_factor: share of the recipe's step sizes that it was trained with: 1, or less where
            the training diverged and was begun again.
        own: figures of objectives of one's own by name, as far as they are known then.
    """

    step: Annotated[int, Ge(1)]
    psnr_y_db: float
    ssim_y: float
    seconds: Annotated[float, Ge(0)]
    rate_factor: float = 1.0
    own: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A trainer of one's own may take them from NumPy or pandas, whose numbers no store keeps.
        object.__setattr__(self, "step", int(self.step))
        for name in ("psnr_y_db", "ssim_y", "seconds", "rate_factor"):
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "own", {name: float(one) for name, one in self.own.items()})

    def figure(self, name: str) -> float:
        """The figure in the field of that name, or else the own one; NaN: not known."""
        found: float = self.own[name] if name in self.own else getattr(self, name, math.nan)
        return found


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What one network was worth, what it costs, and how both were found out.

    ``state`` is ``"finished"`` (trained and evaluated), ``"failed"`` (trained, with
    ``reason``), ``"rejected"`` (over a budget or a duplicate: never trained, with
    ``reason``), ``"stopped"`` (early, at the last of its ``rungs``, where others were worth
    more), ``"promoted"`` (it stopped at a rung, and a later trial goes on with its network),
    ``"interrupted"`` (a later trial does so as well) or ``"running"``.
    Every figure that is not known yet is ``None``.

    Attributes:
        number: the trial's number in the Optuna study, from 0.
        state: one of the seven states above.
        source: ``"sampler"``, ``"preset:NAME"`` for an enqueued published system, ``"start:NAME"``
            for another starting point of the space, or ``"narrowed:NAME"`` for either at the
            largest width within the budgets, ``"smallest"`` where tight budgets leave little
            else, or ``"widened:NUMBER"`` for that trial's network at the largest width.
        architecture: the architecture as a plain dictionary.
        architecture_hash: the architecture's canonical hash (16 hex digits).
        params: trainable parameters of the deployed network.
        macs: multiply-adds of its convolutions at the study's output size.
        activations: elements of all convolution outputs at that size.
        memory_mb: peak of weights and live tensors in one forward pass at that size, MB (10^6).
        latency_ms: of one forward pass at the study's latency input size on a machine left alone,
            milliseconds: the mean of the three best rounds, on a CPU by the processor's time, or
            what a fitted model says.
        latency_min_ms: the best round, milliseconds; ``None`` where nothing was measured.
        esr_score: of the NTIRE challenge on efficient super-resolution, by these parameters,
            multiply-adds and latency; SPAN has 7.389. ``None`` where the study does not weigh it.
        psnr_y_db: PSNR on BT.601 luma, mean over the validation photos, dB.
        ssim_y: SSIM on the same luma, mean over the photos, 0..1.
        train_steps: optimiser steps trained.
        train_seconds: wall time of the training alone.
        rungs: what it was worth on the way, in order of steps.
        own: figures of objectives of one's own by name, as far as they are known.
        reason: why the trial failed or was rejected, one line, else ``""``.
        made_with: recipe, data set, seed, device, library versions, git revision.
    """

    number: _Count
    state: str
    source: str = "sampler"
    architecture: Mapping[str, Any] = field(default_factory=dict)
    architecture_hash: str = ""
    params: _Count | None = None
    macs: _Count | None = None
    activations: _Count | None = None
    memory_mb: _Cost | None = None
    latency_ms: _Cost | None = None
    latency_min_ms: _Cost | None = None
    esr_score: _Cost | None = None
    psnr_y_db: float | None = None
    ssim_y: float | None = None
    train_steps: _Count | None = None
    train_seconds: _Cost | None = None
    rungs: tuple[Rung, ...] = ()
    own: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    made_with: Mapping[str, Any] = field(default_factory=dict)

    @property
    def preset(self) -> str | None:
        """Name of the published system that this trial trained, if it is one."""
        kind, _, name = self.source.partition(":")
        return name if kind == "preset" else None

    @property
    def blocks(self) -> str:
        """The kinds of its blocks, in order and each once: ``"spab"``, ``"plain + spab"``."""
        listed = self.architecture.get("blocks", ())
        every = listed if isinstance(listed, (list, tuple)) else (listed,)
        kinds = (one.get("kind", "") if isinstance(one, Mapping) else one for one in every)
        return " + ".join(dict.fromkeys(str(kind) for kind in kinds if kind))

    @property
    def has_costs(self) -> bool:
        """Whether what the network costs is known and written down, all of it."""
        # How the costs came about is the last to be written: a death before it leaves a part.
        return bool(self.made_with)

    @property
    def last_rung(self) -> Rung | None:
        """The last of its rungs, if there is one."""
        return self.rungs[-1] if self.rungs else None

    def figure(self, name: str) -> float | None:
        """The figure in the field of that name, or else the own one; ``None``: not known."""
        found: float | None = self.own.get(name) if name in self.own else getattr(self, name, None)
        return found

    def to_attrs(self) -> dict[str, Any]:
        """The known figures as JSON-ready Optuna user attributes, number and state left out."""
        attrs = asdict(self)
        del attrs["number"], attrs["state"]
        attrs["rungs"] = [{k: v for k, v in rung.items() if v != {}} for rung in attrs["rungs"]]
        return {key: value for key, value in attrs.items() if value not in (None, "", {}, [])}

    @classmethod
    def from_attrs(cls, number: int, state: str, attrs: Mapping[str, Any]) -> TrialRecord:
        """The record again from a trial's user attributes; attributes of others are passed over.

        Raises:
            InputError: a figure of another type than it has, an unknown state, rungs that do not
                rise.
        """
        where = f"trial {number}"
        record = from_plain(cls, {**attrs, "number": number, "state": state}, where)
        record.check(where)
        return record

    def check(self, where: str) -> None:
        """Makes sure of what the types of its figures don't say.

        Raises:
            InputError: an unknown state, no hash, rungs that do not rise.
        """
        if self.state not in _STATES:
            known = ", ".join(_STATES)
            raise InputError(f"{where}: state: expected one of {known}, got {self.state!r}")
        if not _HASH.fullmatch(self.architecture_hash):
            # Files are named by it.
            raise InputError(
                f"{where}: architecture_hash: expected 16 hex digits, got "
                f"{self.architecture_hash[:40]!r}"
            )
        steps = [rung.step for rung in self.rungs]
        if any(later <= earlier for earlier, later in pairwise(steps)):
            raise InputError(f"{where}: rungs: expected steps that rise, got {steps}")
        if not isinstance(self.made_with.get("recipe", {}), Mapping):
            raise InputError(f"{where}: made_with.recipe: expected a mapping")


def to_frame(records: Iterable[TrialRecord]) -> pd.DataFrame:
    """One row a record: its fields but the nested ones, of these the kinds of blocks alone.

    Behind them its own figures, and those of its last rung.
    """
    import pandas as pd

    every = tuple(records)
    columns = [f.name for f in fields(TrialRecord) if f.name not in _NESTED]
    columns.insert(columns.index("source") + 1, "blocks")
    columns += dict.fromkeys(name for record in every for name in record.own)
    of_rungs = [f.name for f in fields(Rung) if f.name not in _NESTED]
    rows = [
        [*map(record.figure, columns), *(getattr(record.last_rung, n, None) for n in of_rungs)]
        for record in every
    ]
    return pd.DataFrame(rows, columns=columns + [f"rung_{name}" for name in of_rungs])
