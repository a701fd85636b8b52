"""Which trainings, in which order: what matters comes first, and what is good is trained longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.rows import Table
from benchmarks.way_to_the_end.cases import CASES, VARIATIONS, Case, variation_of

__all__ = ["LONG", "SCREENING", "Job", "Row", "Rows", "plan", "screening", "together"]

SCREENING, LONG = 2_000, 8_000
GOOD_DB = 0.01
"""Gain from which a variation is worth to be tried for longer: more than a seed moves."""
_DEARER = 1.15
"""Share of the base's seconds from which a variation is trained at equal time as well."""
_FIRST = 7
"""Variations that the largest network is trained by at first."""
_MOST_LONG = 2


@dataclass(frozen=True)
class Row:
    """What a training gave; the file's columns.

    Attributes:
        network: its case's name.
        variation: with ``, equal time`` where it was to last as long as the base.
        seed: of weights and patches.
        base_steps: of the base training that it is compared with.
        steps: its own.
        seconds: of one core.
        share_of_base_seconds: so many times the base's.
        psnr_y_db: on the validation photos.
        gain_db: over the base of the same seed.
    """

    network: str
    variation: str
    seed: int
    base_steps: int
    steps: int
    seconds: float
    share_of_base_seconds: float
    psnr_y_db: float
    gain_db: float


@dataclass(frozen=True)
class Job:
    """A training: of as many steps as the base, or of as many as make it last as long."""

    case: Case
    variation: str
    seed: int
    base_steps: int
    equal_time: bool = False

    @property
    def name(self) -> str:
        """Of the variation as rows have it."""
        return f"{self.variation}, equal time" if self.equal_time else self.variation

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What a row is known by."""
        return self.case.name, self.name, self.seed, self.base_steps


class Rows(Table[Row]):
    """A row a training."""

    def __init__(self, path: Path) -> None:
        super().__init__(Row, path)

    def of(self, job: Job) -> Row | None:
        """The row of a training that is done."""
        for row in self.all():
            if (row.network, row.variation, row.seed, row.base_steps) == job.key:
                return row
        return None

    def steps(self, job: Job) -> int:
        """Of a training; at equal time, by the price of the one of as many steps."""
        if not job.equal_time:
            return job.base_steps
        row = self.of(replace(job, equal_time=False))
        assert row is not None
        return max(1, round(job.base_steps / row.share_of_base_seconds))

    def gain_db(self, job: Job) -> float | None:
        """Over the base of as many steps; at equal time where that was trained as well."""
        row = self.of(replace(job, equal_time=True)) or self.of(job)
        return None if row is None else row.gain_db

    def add(self, job: Job, steps: int, seconds: float, share: float, psnr_y_db: float) -> Row:
        """A row more; the gain is that over the base's row."""
        base = self.of(Job(job.case, "base", job.seed, job.base_steps))
        psnr_y_db = round(psnr_y_db, 4)
        gain_db = 0.0 if base is None else round(psnr_y_db - base.psnr_y_db, 4)
        row = Row(*job.key, steps, seconds, share, psnr_y_db, gain_db)
        self.append(row)
        return row


def plan(rows: Rows) -> Iterator[Job]:
    """Everything; what is yielded late hangs on the rows of what was yielded early."""
    big, *small = (case for case in CASES.values() if case.planned)
    every = list(VARIATIONS)
    yield from screening(rows, big, every[:_FIRST], 0)
    for case in small:
        yield from screening(rows, case, every, 0)
    for case in (big, *small):
        yield from _longer(rows, case)
    for seed in (1,):
        for case in small:
            yield from screening(rows, case, every, seed)
        yield from screening(rows, big, every[:_FIRST], seed)
    yield from screening(rows, big, every[_FIRST:], 0)


def screening(
    rows: Rows, case: Case, names: list[str], seed: int, steps: int = SCREENING
) -> Iterator[Job]:
    """The base, and each of the variations that there are for a network."""
    for name in dict.fromkeys(["base", *names]):
        if variation_of(name).init == "x2" and case.architecture.scale == 2:
            continue
        job = Job(case, name, seed, steps)
        yield job
        row = rows.of(job)
        if row is not None and row.share_of_base_seconds >= _DEARER:
            yield Job(case, name, seed, steps, equal_time=True)


def _longer(rows: Rows, case: Case) -> Iterator[Job]:
    """All that is good together, then the best ones alone."""
    good = _good(rows, case)
    best = together(good)
    names = dict.fromkeys([*([best] if best else []), *good[:_MOST_LONG]])
    yield from screening(rows, case, list(names), 0, LONG)


def together(good: list[str]) -> str | None:
    """The best variation and all good ones that go with it and with each other."""
    chosen: list[str] = []
    for name in good:
        try:
            variation_of(" + ".join([*chosen, name]))
        except ValueError:
            continue
        chosen.append(name)
    return " + ".join(chosen) or None


def _good(rows: Rows, case: Case) -> list[str]:
    """By what they gain, of a network, or of the mean of all where it was not trained so."""
    gains: dict[str, float] = {}
    for name in VARIATIONS:
        own = rows.gain_db(Job(case, name, 0, SCREENING))
        all_of_them = [
            rows.gain_db(Job(one, name, 0, SCREENING)) for one in CASES.values() if one.planned
        ]
        known = [gain for gain in all_of_them if gain is not None]
        if own is not None:
            gains[name] = own
        elif known and variation_of(name).init != "x2":
            gains[name] = sum(known) / len(known)
    return sorted((n for n, gain in gains.items() if gain >= GOOD_DB), key=lambda n: -gains[n])
