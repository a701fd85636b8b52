"""A study as its workers see it: one entry for each network, whichever trials it took.

A finished trial of Optuna cannot be changed. So a network that pauses at a rung ends its trial
as pruned, with the rung's figures, and when it is promoted another trial goes on with it; the
same happens to one whose worker died. Nothing but the trials in work is ever left running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from nas.plain import from_plain
from nas.records import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    PROMOTED,
    REJECTED,
    RUNNING,
    STOPPED,
    TrialRecord,
)
from nas.store.errors import damaged_rows
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

__all__ = ["ROOT", "STATE", "UNTIL", "WORKER", "Entry", "Ledger", "Standing", "read_records"]

STATE = "nas_state"
"""Attribute of an ended trial: which of a record's states Optuna's own stands for."""

WORKER = "nas_worker"
"""Attribute: who looks after a trial."""

ROOT = "nas_root"
"""Attribute of a trial that goes on with an earlier one: the first one of that network."""

UNTIL = "nas_until"
"""Attribute: the step that a network is being trained to."""

_BY_OPTUNA = {"COMPLETE": FINISHED, "PRUNED": REJECTED, "FAIL": INTERRUPTED, "RUNNING": RUNNING}


@dataclass(frozen=True, slots=True)
class _Marks:
    """What a search notes on a trial beside its record; the names are those of the attributes."""

    nas_state: str | None = None
    nas_worker: str = ""
    nas_root: Annotated[int, Ge(0)] | None = None
    nas_until: Annotated[int, Ge(1)] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A network, by the latest trial that is about it.

    Attributes:
        trial: that trial.
        record: its record.
        root: number of the first trial of this network.
    """

    trial: FrozenTrial
    record: TrialRecord
    root: int

    @property
    def until(self) -> int | None:
        """The step that it was last to be trained to."""
        return _marks(self.trial).nas_until

    @property
    def begun(self) -> bool:
        """Whether it is a network to train: one within the budgets, and new."""
        return bool(self.record.architecture_hash) and self.record.state != REJECTED

    @property
    def trained(self) -> bool:
        """Whether it has come to a rung or broken down, and so counts for the search's goal."""
        return self.record.state in (FINISHED, FAILED) or (self.begun and bool(self.record.rungs))


@dataclass(frozen=True)
class Standing:
    """How far a search is.

    Attributes:
        records: of every trial that was started, in order of numbers.
        entries: of every network, in order of their first trials.
        queued: how many networks wait to be trained for the first time.
        running: the trials in work.
    """

    records: Sequence[TrialRecord]
    entries: Sequence[Entry]
    queued: int
    running: Sequence[FrozenTrial] = ()

    @property
    def proposals(self) -> int:
        """How many networks the sampler has made out."""
        return sum(entry.record.source == "sampler" for entry in self.entries)

    @property
    def trained(self) -> int:
        """How many networks count for the search's goal."""
        return sum(entry.trained for entry in self.entries)

    @property
    def begun(self) -> int:
        """How many networks count for it now or will, as far as they are known."""
        return sum(entry.begun for entry in self.entries)

    @cached_property
    def roots(self) -> Mapping[str, frozenset[int]]:
        """Of every network to train, by its architecture's hash, the first trials about it."""
        found: dict[str, frozenset[int]] = {}
        for entry in self.entries:
            if entry.begun:
                name = entry.record.architecture_hash
                found[name] = found.get(name, frozenset()) | {entry.root}
        return found

    def entry(self, number: int) -> Entry:
        """The entry whose latest trial has this number."""
        return next(entry for entry in self.entries if entry.trial.number == number)


class Ledger:
    """Reads a study again and again; what cannot change any more is made out only once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._records: dict[int, tuple[TrialRecord, _Marks]] = {}

    def read(self) -> Standing:
        """The study as it stands now.

        Raises:
            InputError: a trial that no search has written like that.
        """
        records: dict[int, TrialRecord] = {}
        latest: dict[int, Entry] = {}
        queued = 0
        running: list[FrozenTrial] = []
        with damaged_rows(f"study {self._study.study_name!r}"):
            trials = self._study.get_trials(deepcopy=False)
        for trial in trials:
            if trial.state.name == "WAITING":
                queued += 1
                continue
            if not trial.state.is_finished():
                running.append(trial)
            record, marks = self._record(trial)
            root = marks.nas_root if marks.nas_root is not None else trial.number
            earlier = latest.get(root)
            if earlier is not None and earlier.record.state == STOPPED:
                promoted = replace(earlier.record, state=PROMOTED, reason="")
                records[promoted.number] = promoted
            records[trial.number] = record
            latest[root] = Entry(trial, record, root)
        entries = [latest[root] for root in sorted(latest)]
        return Standing(list(records.values()), entries, queued, running)

    def _record(self, trial: FrozenTrial) -> tuple[TrialRecord, _Marks]:
        found = self._records.get(trial.number)
        if found is None:
            found = _record(trial)
            if trial.state.is_finished():
                self._records[trial.number] = found
        return found


def read_records(study: Study) -> list[TrialRecord]:
    """A record for each trial that has been started."""
    return list(Ledger(study).read().records)


def _record(trial: FrozenTrial) -> tuple[TrialRecord, _Marks]:
    marks = _marks(trial)
    # Whoever fails a trial says so; one that says nothing was interrupted.
    state = _BY_OPTUNA[trial.state.name]
    state = marks.nas_state or state if state == INTERRUPTED else state
    record = TrialRecord.from_attrs(trial.number, state, trial.user_attrs)
    if trial.state.name == "PRUNED" and record.last_rung is not None:
        steps = record.made_with.get("recipe", {}).get("steps", "?")
        reason = f"stopped at step {record.last_rung.step} of {steps}"
        return replace(record, state=STOPPED, reason=reason), marks
    return record, marks


def _marks(trial: FrozenTrial) -> _Marks:
    where = f"trial {trial.number}"
    marks = from_plain(_Marks, trial.user_attrs, where)
    if marks.nas_root is not None and marks.nas_root > trial.number:
        raise InputError(f"{where}: {ROOT}: expected an earlier trial, got {marks.nas_root}")
    return marks
