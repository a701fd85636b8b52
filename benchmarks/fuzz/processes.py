"""What the kernel tells of a session's processes (Linux)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Usage", "end", "usage"]

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session uses now.

    Attributes:
        pids: its processes that still run.
        resident_mb: memory of all of them, pages that they share counted once for each.
        waited_s: how long its threads stood in line for a processor, in all.
    """

    pids: tuple[int, ...]
    resident_mb: float
    waited_s: float


def usage(session: int) -> Usage:
    """Of the session of this number; ended processes that nobody has asked for count for time."""
    pids, pages, waited = [], 0, 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Behind the name in brackets: state, parent, group, session, ...
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != session:
                continue
            for task in (folder / "task").iterdir():
                waited += int((task / "schedstat").read_text().split()[1]) / 1e9
            if fields[0] in "ZX":
                continue
            pages += int((folder / "statm").read_text().split()[1])
            pids.append(int(folder.name))
        except (OSError, IndexError, ValueError):  # it has just ended
            continue
    return Usage(tuple(pids), pages * _PAGE / 1e6, waited)


def end(session: int) -> int:
    """Kills what is left of a session; returns how many processes that were."""
    killed: set[int] = set()
    # Again, since one may have begun another meanwhile.
    while pids := usage(session).pids:
        for pid in pids:
            try:
                os.kill(pid, 9)
                # On a busy machine it may be seen once more before it is gone.
                killed.add(pid)
            except ProcessLookupError:
                continue
    return len(killed)
