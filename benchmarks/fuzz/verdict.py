"""Whether a command ended as it should."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.fuzz.case import CANARY, Command
from benchmarks.fuzz.sandbox import Ended, Limits
from benchmarks.fuzz.snapshot import Snapshot, changes
from benchmarks.fuzz.words import IN_CODE, frames, unfit, unknown

__all__ = ["ACCEPTED", "RAN", "REFUSED", "Failure", "judge"]

ACCEPTED, REFUSED, RAN = "accepted", "refused", "ran"

REFUSAL_S = 2.0
"""A refusal takes no longer, of its own time and beyond the start."""

_ROOT = Path(__file__).resolve().parents[2]
_OURS = ("nas", "search_spaces", "compress", "reports")
_LONGEST = 2_000
_INTERRUPTED = 130

# As search_spaces.files.atomic_path and the databases name what they remove again.
_TEMPORARY = re.compile(r"\.[^/]*\.?[a-z0-9_]{8}(?:\.\w+)?|.*-(?:journal|wal|shm)|.*\.tmp|tmp\w{8}")


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong.

    Attributes:
        name: what failures of one cause have in common, e.g. ``"traceback KeyError nas/run.py
            open_run"``.
        detail: what was seen, for a person.
    """

    name: str
    detail: str


def judge(
    command: Command, ended: Ended, limits: Limits, before: Snapshot, after: Snapshot,
    rubbish: Iterable[str],
) -> tuple[str, tuple[Failure, ...]]:  # fmt: skip
    """How a command ended, and all that was wrong with it.

    Args:
        command: what was run.
        ended: how its process ended.
        limits: what it was allowed.
        before: the case's folder before.
        after: the same afterwards.
        rubbish: what lies in its folder of temporary files.
    """
    found: list[Failure] = []
    text = f"{ended.err}\n{ended.out}"
    if ended.killed == "time":
        found.append(Failure(f"hang {command.argv[0]}", f"more than {ended.seconds:.0f} s"))
    elif ended.killed:
        found.append(Failure(f"{ended.killed} {command.argv[0]}", f"{ended.peak_mb:,.0f} MB"))
    elif ended.signal is not None:
        found.append(Failure(f"signal {ended.signal} {command.argv[0]}", ended.err[-300:]))
    elif IN_CODE in text:
        found.append(_traceback(text))
    elif ended.code not in (0, 2) and not (ended.told and ended.code == _INTERRUPTED):
        found.append(Failure(f"exit code {ended.code} {command.argv[0]}", ended.err[-300:]))
    else:
        found += _said(command, ended)
    if not ended.killed and ended.peak_mb > limits.memory_mb:
        found.append(Failure(f"memory {command.argv[0]}", f"{ended.peak_mb:,.0f} MB"))
    if ended.code == 2 and not command.trains and ended.seconds > REFUSAL_S:
        found.append(Failure(f"slow {command.argv[0]}", f"refused after {ended.seconds:.1f} s"))
    found += _traces(command, ended, before, after, rubbish)
    state = RAN if ended.told else ACCEPTED if ended.code == 0 else REFUSED
    return state, tuple(found)


def _traceback(text: str) -> Failure:
    last = text.rpartition(IN_CODE)[2]
    known = frames(last)
    ours = [
        (path.relative_to(_ROOT), line, function)
        for path, line, function in ((Path(file), n, f) for file, n, f in known)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _OURS
    ]
    where = f"{ours[-1][0]} {ours[-1][2]}" if ours else "nowhere of ours"
    rest = last.split("\n")
    error = next((line for line in reversed(rest) if re.match(r"[A-Za-z_][\w.]*(:|$)", line)), "?")
    kind = error.partition(":")[0].rpartition(".")[2]
    told = [f"{path}:{line} {function}" for path, line, function in ours[-3:]]
    deepest = f"; deepest {known[-1][0]}:{known[-1][1]} {known[-1][2]}" if known else ""
    return Failure(f"traceback {kind} {where}", f"{error[:300]} ({' > '.join(told)}{deepest})")


def _said(command: Command, ended: Ended) -> list[Failure]:
    found = []
    which = command.argv[0] if command.argv else "nas"
    bad = unfit(ended.err) or unfit(ended.out)
    if bad:
        found.append(Failure(f"unfit for a screen {which}", repr(bad[0][:300])))
    elif ended.code == 2 and not _helped(ended) and unknown(ended.err):
        found.append(Failure(f"not one line {which}", repr(unknown(ended.err)[:4])[:600]))
    last = ended.err.rstrip("\n").rpartition("\n")[2]
    if ended.code == 2 and len(last) > _LONGEST + sum(map(len, command.argv)):
        found.append(Failure(f"long-winded {which}", f"{len(last)} characters: {last[:200]}"))
    return found


def _helped(ended: Ended) -> bool:
    """Whether it shows its help instead, as a command with nothing behind it does."""
    return not ended.err.strip() and ended.out.lstrip().startswith("Usage:")


def _traces(
    command: Command, ended: Ended, before: Snapshot, after: Snapshot, rubbish: Iterable[str]
) -> list[Failure]:
    found = []
    which = command.argv[0] if command.argv else "nas"
    differences = changes(before, after)
    if CANARY in differences:
        found.append(Failure(f"code was run {which}", command.what))
    refused = ended.code == 2
    # Once it is under way, a search has written down what it does.
    begun = "\nPhotos: " in ended.err
    for path, change in differences.items():
        inside = _below(path, command.outputs)
        name = PurePosixPath(path).name
        if ended.code == _INTERRUPTED and name.endswith(".training"):
            continue  # What the same command goes on from.
        # A parent folder of what is written may have to be made.
        made_for = any(PurePosixPath(path) in PurePosixPath(o).parents for o in command.outputs)
        if change == "new" and _TEMPORARY.fullmatch(name) and not ended.killed:
            found.append(Failure(f"left behind {which}", path))
        elif path != CANARY and not inside and not made_for:
            found.append(Failure(f"{change} beside its output {which}", path))
        elif begun and change == "changed" and name == "run.yaml":
            continue
        elif refused and change != "new" and _below(path, command.kept):
            found.append(Failure(f"{change} though refused {which}", path))
        elif refused and change == "new" and path in command.outputs and after[path] != "folder":
            found.append(Failure(f"written though refused {which}", path))
    if not ended.killed:
        found += [Failure(f"left behind {which}", f"temporary {name}") for name in rubbish]
        if ended.orphans:
            found.append(Failure(f"processes left behind {which}", str(ended.orphans)))
    return found


def _below(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") or place == "." for place in places)
