"""The cases done so far, a line each, so that a campaign goes on where it was stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.fuzz.case import Case
from benchmarks.fuzz.trial import Tried

__all__ = ["Journal", "Line"]


@dataclass(frozen=True, slots=True)
class Line:
    """What is kept of a case: what it was, how it ended, and (name, detail) of each failure."""

    kind: str
    number: int
    seed: int
    revision: str
    command: str
    state: str
    seconds: float
    peak_mb: float
    what: str
    said: str
    failures: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, tried: Tried, revision: str) -> Line:
        """Of a case that has just been tried."""
        case, ended = tried.case, tried.ended
        failures = tuple((one.name, one.detail) for one in tried.failures)
        command = " ".join(tried.command.argv[:1])
        return cls(case.kind, case.number, case.seed, revision, command, tried.state,
                   round(ended.seconds, 3), round(ended.peak_mb, 1), tried.command.what[:200],
                   ended.err.rstrip().rpartition("\n")[2][:300], failures)  # fmt: skip


class Journal:
    """A file of lines; those of another seed or revision are passed over.

    Args:
        path: of the file, made with its first line; ``None``: nothing is kept.
        seed: of the campaign.
        revision: of the source.
    """

    def __init__(self, path: Path | None, seed: int, revision: str) -> None:
        self._path, self.revision = path, revision
        self.lines: dict[Case, Line] = {}
        text = path.read_text("utf-8") if path is not None and path.is_file() else ""
        for row in text.splitlines():
            try:
                plain = json.loads(row)
            except ValueError:  # the last line of a campaign that was killed
                continue
            line = Line(**{**plain, "failures": tuple(map(tuple, plain["failures"]))})
            if (line.seed, line.revision) == (seed, revision):
                self.lines[Case(line.kind, line.number, line.seed)] = line

    def add(self, tried: Tried) -> None:
        """Keeps a case."""
        line = Line.of(tried, self.revision)
        self.lines[tried.case] = line
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(line)) + "\n")
