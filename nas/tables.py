"""What a search writes into its run folder for people, and writes anew as it goes on."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nas.objectives import OBJECTIVES
from nas.pareto import front
from nas.records import FINISHED, RUNNING, TrialRecord, to_frame
from nas.run import Run
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.yaml_file import read_yaml, to_yaml

__all__ = ["RESULTS", "check_nothing_lost", "rewrite_tables", "sweep_weights", "write_tables"]

_TRIALS, _FRONT, _BEST, _WEIGHTS = "trials.csv", "front.csv", "best.yaml", "best.safetensors"
RESULTS = (_TRIALS, _FRONT, _BEST, _WEIGHTS)
"""The names of these files."""


def write_tables(run: Run, records: Sequence[TrialRecord]) -> None:
    """Writes trials.csv, front.csv, best.yaml and best.safetensors as they stand now.

    Raises:
        InputError: trials.csv lists finished trials that the records lack, best.yaml is none of
            the run's networks, or the folder cannot be written.
    """
    check_nothing_lost(run.folder, records)
    _write(run, records)


def rewrite_tables(run: Run) -> None:
    """The same from the study as it stands now, for whoever is no worker in its turn.

    Raises:
        InputError: as `write_tables`.
    """
    # Before the records are read: a search under way may end a trial meanwhile.
    found = _listed(run.folder), _best(run.folder)
    records = run.records()
    _check(run.folder, *found, records)
    _write(run, records)


def _write(run: Run, records: Sequence[TrialRecord]) -> None:
    on_front = front(records, [OBJECTIVES[name] for name in run.objectives])
    for name, rows in ((_TRIALS, records), (_FRONT, on_front)):
        with atomic_path(run.folder / name) as temporary:
            to_frame(rows).to_csv(temporary, index=False)
    winner = run.choice.best(records)
    if winner is not None:
        _write_best(run, winner)


def sweep_weights(run: Run, records: Sequence[TrialRecord]) -> None:
    """Removes the weights of trials that neither are on the front nor may become the best."""
    # Only what is known to be over: another worker may have written weights just now.
    kept = {record.number for record in run.kept(records)}
    for record in records:
        if record.state != RUNNING and record.number not in kept:
            with suppress(NotADirectoryError):
                run.weights(record).unlink(missing_ok=True)


def check_nothing_lost(folder: Path, records: Sequence[TrialRecord]) -> None:
    """Makes sure that nothing is in the files that are written anew but what the records have.

    Raises:
        InputError: the study has lost finished trials that trials.csv lists, or somebody has
            changed best.yaml: what is written anew would lose it as well.
    """
    _check(folder, _listed(folder), _best(folder), records)


def _check(
    folder: Path, listed: frozenset[int], best: object, records: Sequence[TrialRecord]
) -> None:
    there = {record.number for record in records if record.state == FINISHED}
    if lost := sorted(listed - there):
        raise InputError(
            f"{folder}: {_TRIALS} lists {len(lost)} finished trials that its study does not have "
            f"(first of them {lost[0]}); put the study back as it was, or move {_TRIALS} "
            f"elsewhere to go on without them"
        )
    if best is not None and not any(best == record.architecture for record in records):
        raise InputError(
            f"{folder / _BEST} is none of this run's networks, and is not overwritten; move it "
            f"elsewhere"
        )


def _listed(folder: Path) -> frozenset[int]:
    """The finished trials that trials.csv tells of; none where it is missing or damaged."""
    try:
        with (folder / _TRIALS).open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("state") == FINISHED]
        return frozenset(int(row["number"]) for row in rows)
    except (OSError, ValueError, TypeError, LookupError, csv.Error):
        return frozenset()


def _best(folder: Path) -> Mapping[str, Any] | None:
    """What best.yaml says; None where it is missing, ``{}`` where nobody can read it."""
    path = folder / _BEST
    if not path.exists():
        return None
    try:
        return read_yaml(path)[0]
    except InputError:
        return {}


def _write_best(run: Run, winner: TrialRecord) -> None:
    text = to_yaml(dict(winner.architecture))
    told, trained = run.folder / _BEST, run.folder / _WEIGHTS
    kept = run.weights(winner).exists()
    if not kept and not (told.is_file() and told.read_text(encoding="utf-8") == text):
        # Weights of another network than best.yaml says would be worse than none.
        trained.unlink(missing_ok=True)
    with atomic_path(told) as temporary:
        temporary.write_text(text, encoding="utf-8")
    if kept:
        with atomic_path(trained) as temporary:
            shutil.copyfile(run.weights(winner), temporary)
