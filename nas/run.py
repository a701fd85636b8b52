"""A run folder: what a search leaves behind, and how it is read again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.choice import BETTER, Choice, check_preference
from nas.data.places import PhotoPlaces
from nas.noise import Noise, noise_of, noise_of_run
from nas.objectives import OBJECTIVES
from nas.pareto import front, ranked
from nas.records import FINISHED, TrialRecord, to_frame
from nas.run_file import photo_places, read_run_file, write_run
from search_spaces.errors import InputError, StoreError

if TYPE_CHECKING:
    import pandas as pd
    from optuna import Study
    from optuna.storages import BaseStorage

__all__ = ["STORE", "Run", "embedded_storage", "open_run"]

STORE = "study.db"


@dataclass(frozen=True)
class Run:
    """A run of a search, in any state; the figures are read from its study at each call.

    Attributes:
        folder: the run folder.
        about: what stands in its run.yaml.
        storage: URL of its store.
        study: its study, where it is in this process's memory alone.
    """

    folder: Path
    about: Mapping[str, Any]
    storage: str
    study: Study | None = None

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of the study's objectives."""
        return tuple(self.about["identity"]["objectives"])

    @property
    def budgets(self) -> dict[str, float]:
        """Record attribute to the highest figure allowed."""
        return dict(self.about["identity"]["budgets"])

    @property
    def photo_places(self) -> PhotoPlaces:
        """Where its photos were when it was begun."""
        return photo_places(self.about)

    @property
    def known_noise(self) -> Noise:
        """What is known of its proxy training's noise without an audit of its own."""
        return noise_of(*self._training)

    @property
    def noise(self) -> Noise:
        """The noise of its figures between seeds.

        As its search was given it, else as its audit has measured it, else as that of its
        training is known.

        Raises:
            InputError: the audit's file of it is damaged.
        """
        return noise_of_run(self.folder, *self._training, self.about.get("noise_db"))

    @property
    def choice(self) -> Choice:
        """How its best network is chosen.

        Raises:
            InputError: run.yaml names another preference, or the audit's noise is damaged.
        """
        prefer = str(self.about.get("prefer", BETTER))
        return Choice.of(self.objectives, self.budgets, prefer, self.noise.psnr_db)

    def preferring(self, prefer: str, *, keep: bool = False) -> Run:
        """The run with another preference; kept in its run.yaml where that is asked for.

        Raises:
            InputError: no such preference, or run.yaml cannot be written.
        """
        about = {**self.about, "prefer": check_preference(prefer)}
        if keep and about != dict(self.about):
            write_run(self.folder, about)
        return replace(self, about=about)

    @property
    def _training(self) -> tuple[str, int]:
        identity = self.about["identity"]
        steps = dict(identity.get("recipe") or {}).get("steps", 1)
        return str(identity.get("profile", "custom")), int(steps)

    def opened_study(self) -> Study:
        """Its Optuna study.

        Raises:
            StoreError: the store or the study in it is gone or cannot be read.
        """
        from nas.store.errors import reading
        from nas.store.study import load

        if self.study is not None:
            return self.study
        storage = self.opened_storage()
        with reading(str(self.folder)):
            study = load(storage, self.about["study"])
        if study is None:
            raise StoreError(f"{self.folder}: its study is gone from the storage")
        return study

    def opened_storage(self) -> BaseStorage:
        """Its store, to read.

        Raises:
            StoreError: it is gone or cannot be read.
        """
        from nas.store.study import open_to_read

        return open_to_read(self.storage)

    def records(self) -> list[TrialRecord]:
        """A record for every trial that has been started."""
        from nas.store.errors import reading
        from nas.store.ledger import read_records

        study = self.opened_study()
        with reading(str(self.folder)):
            return read_records(study)

    def finished(self) -> pd.DataFrame:
        """A row for each finished trial: its number, source, prices and quality."""
        return to_frame(record for record in self.records() if record.state == FINISHED)

    def front(self) -> pd.DataFrame:
        """The rows of the Pareto front in the study's objectives, best PSNR first."""
        return to_frame(self.front_records())

    def front_records(self) -> tuple[TrialRecord, ...]:
        """The records of the front."""
        return front(self.records(), [OBJECTIVES[name] for name in self.objectives])

    def leaders(self, count: int) -> tuple[TrialRecord, ...]:
        """So many of the front's records: the best, then the others by their PSNR."""
        records = self.records()
        best = self.choice.best(records)
        on_front = front(records, [OBJECTIVES[name] for name in self.objectives])
        rest = [record for record in on_front if best is None or record.number != best.number]
        return tuple([*([best] if best is not None else []), *rest][:count])

    def finalists(self, count: int) -> tuple[TrialRecord, ...]:
        """So many finished trials within the budgets: the front's first, then others by PSNR.

        A short training ranks them for want of a longer one: of a front of one network alone no
        other would get the chance to go further.
        """
        first = self.leaders(count)
        known = {record.number for record in first}
        others = ranked(self.records(), self.budgets)
        return (*first, *(record for record in others if record.number not in known))[:count]

    def best(self) -> TrialRecord | None:
        """The finished trial within the budgets that is preferred, by default by its PSNR."""
        return self.choice.best(self.records())

    def trial(self, which: str) -> TrialRecord:
        """The trial ``"best"`` or of a number.

        Raises:
            InputError: no such trial, or none has finished.
        """
        records = self.records()
        if which == "best":
            record = self.choice.best(records)
            if record is None:
                raise InputError(f"{self.folder}: no trial has finished; run its search first")
            return record
        numbers = {str(record.number): record for record in records if record.architecture}
        if which not in numbers:
            known = ", ".join(numbers) or "none"
            raise InputError(f"{self.folder}: no trial {which!r}; expected best or one of {known}")
        return numbers[which]

    def weights(self, record: TrialRecord) -> Path:
        """Where the trained weights of a trial are, if they are kept: see :meth:`kept`."""
        return self.folder / "weights" / f"{record.number}.safetensors"

    def kept(self, records: Sequence[TrialRecord]) -> tuple[TrialRecord, ...]:
        """The trials whose weights are kept: the front, and what is the best or may become it."""
        on_front = front(records, [OBJECTIVES[name] for name in self.objectives])
        both = {record.number: record for record in (*on_front, *self.choice.kept(records))}
        return tuple(both.values())

    def compressed(self) -> tuple[TrialRecord, ...]:
        """What compression made of its trials, step by step; kept or not, as the state says.

        Raises:
            InputError: the file of records holds something else.
        """
        from nas.compression import read_steps

        return tuple(step.record for step in read_steps(self.folder / "compressed/records.json"))


def open_run(folder: Path | str, *, storage: str | None = None) -> Run:
    """The run in a folder, whether its search is under way, finished or was stopped.

    Its study is only ever read. Where run.yaml names a store outside of the folder, whoever opens
    it has to name that store: a run may come from somebody else.

    Args:
        folder: the run folder.
        storage: the URL of its store, where that is outside of the folder; by default what the
            environment variable ``NAS_STORAGE`` says.

    Raises:
        InputError: no run is there, or its store is elsewhere and was not named.
    """
    path = Path(folder)
    about = read_run_file(path)
    return Run(path, about, _storage(path, about["storage"], storage))


def embedded_storage(folder: Path) -> str:
    """The URL of the store inside a run folder."""
    return f"sqlite:///{folder / STORE}"


def _storage(folder: Path, told: str | None, named: str | None) -> str:
    from nas.store.database import database_file

    if named is not None or told is None:
        return named or embedded_storage(folder)
    file = database_file(told)
    if file is not None and file.resolve().parent == folder.resolve():
        return told
    known = os.environ.get("NAS_STORAGE")
    if known:
        return known
    raise InputError(
        f"{folder}: its study is outside of the folder, in {told}; if that is yours, name it "
        f"with --storage URL or NAS_STORAGE=URL"
    )
