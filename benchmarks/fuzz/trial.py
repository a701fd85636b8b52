"""One case from its number to its verdict."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.fuzz.case import Case, Command
from benchmarks.fuzz.classes import CLASSES
from benchmarks.fuzz.sandbox import Ended, Limits, Place, run_apart
from benchmarks.fuzz.snapshot import snapshot
from benchmarks.fuzz.verdict import Failure, judge

__all__ = ["Tried", "try_case"]

_DRAWING = Limits(seconds=60.0, memory_mb=2_000.0)
# Our own locks, and onnxruntime's note of its session: one a user, whatever is run.
_STAYS = ("nas-quiet", ".ses")
_OF_TIME = ("hang", "slow", "time")


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a case."""

    case: Case
    command: Command
    ended: Ended
    state: str
    failures: tuple[Failure, ...]


def try_case(case: Case, valid: Path, limits: Limits, *, keep: Path | None = None) -> Tried:
    """Draws a case, runs its command, and judges what came of it.

    One that only took too long is tried again: the machine may have been busy.

    Args:
        case: which.
        valid: the folder of valid things.
        limits: of its command.
        keep: a folder that is not there yet, where the case's files stay.
    """
    tried = _once(case, valid, limits, keep)
    if tried.failures and all(one.name.startswith(_OF_TIME) for one in tried.failures):
        if keep is not None:
            shutil.rmtree(keep)
        tried = _once(case, valid, replace(limits, seconds=2 * limits.seconds), keep)
    return tried


def _once(case: Case, valid: Path, limits: Limits, keep: Path | None) -> Tried:
    folder = Path(tempfile.mkdtemp(prefix="nas-fuzz-")) if keep is None else keep
    folder.mkdir(parents=True, exist_ok=True)
    try:
        place = Place.make(folder)
        command = _drawn(case, place, valid)
        before = snapshot(place.case)
        limits = replace(limits, stop=command.trains)
        ended = run_apart(_entry(command), place, limits)
        after = snapshot(place.case)
        rubbish = [
            path.name for path in place.temporary.iterdir() if not path.name.startswith(_STAYS)
        ]
        state, failures = judge(command, ended, limits, before, after, rubbish)
        return Tried(case, command, ended, state, failures)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _drawn(case: Case, place: Place, valid: Path) -> Command:
    """In a child as well: making broken tensors must not touch the parent's torch."""
    told = place.notes / "command.json"

    def draw() -> None:
        command = CLASSES[case.kind](case.rng, place.case, valid)
        told.write_text(json.dumps(asdict(command)), "utf-8")

    ended = run_apart(draw, place, _DRAWING)
    if ended.code != 0:
        raise RuntimeError(f"{case} could not be drawn ({ended.killed}): {ended.err}")
    command = Command.from_dict(json.loads(told.read_text("utf-8")))
    for note in place.notes.iterdir():
        note.unlink()
    return command


def _entry(command: Command) -> Callable[[], None]:
    def run() -> None:
        from nas.cli.main import main

        sys.argv = ["nas", *command.argv]
        main()

    return run
