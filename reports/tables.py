"""The trials of a run and its front as tables of text, in the units that people read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nas.objectives import OBJECTIVES
from nas.pareto import front
from nas.records import FINISHED, TrialRecord
from reports.kinds import kinds_of_blocks
from reports.summary import RunSummary
from reports.words import spaced

__all__ = ["UNKNOWN", "TrialTable", "front_table", "source_name", "trial_table"]

UNKNOWN = "–"
"""What a cell says when its figure is not known."""

_WORDS = ("source", "blocks")

# Where a terminal has no room, these go, unless they are weighed or limited.
_SPARE = ("activations", "memory", "ssim", "macs")

# Ten columns fit a terminal of 80 characters only with the field's short names.
_SHORT = {
    "psnr": "PSNR-Y",
    "ssim": "SSIM",
    "params": "Params",
    "macs": "MAdds",
    "activations": "Acts",
    "esr_score": "Score",
}


class TrialTable(NamedTuple):
    """A table in text, for the renderers of ``reports.render``.

    Attributes:
        title: what the rows are.
        headers: (name, unit) of each column; the unit is ``""`` where there is none.
        rows: one a trial, each as long as the headers.
        marked: row of the best trial within the budgets, ``None`` if it is not among the rows.
        notes: what became of the trials that did not finish.
        spare: columns that may be left out where there is no room, the first one first.
    """

    title: str
    headers: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    marked: int | None = None
    notes: tuple[str, ...] = ()
    spare: tuple[int, ...] = ()

    def is_figure(self, column: int) -> bool:
        """Whether a column holds figures, and not words."""
        return self.headers[column][0] not in _WORDS


def trial_table(
    records: Iterable[TrialRecord], summary: RunSummary, title: str = "Trials"
) -> TrialTable:
    """Every trial in the order of its number; the notes say why some did not finish."""
    ordered = sorted(records, key=lambda record: record.number)
    reasons: dict[str, list[int]] = {}
    for record in ordered:
        if record.state != FINISHED:
            told = f"{record.state}: {record.reason}" if record.reason else record.state
            reasons.setdefault(told, []).append(record.number)
    notes = tuple(f"{', '.join(map(str, which))} {told}" for told, which in reasons.items())
    return _table(title, ordered, summary, summary.choice.best(ordered), notes)


def front_table(records: Iterable[TrialRecord], summary: RunSummary) -> TrialTable:
    """The trials on the front of the study's objectives, best first by the first objective."""
    every = tuple(records)
    chosen = front(every, summary.weighed)
    named = ", ".join(objective.label for objective in summary.weighed)
    return _table(f"Front of {named}", chosen, summary, summary.choice.best(every))


def source_name(record: TrialRecord, summary: RunSummary) -> str:
    """Where a network came from: a published system by its name, starred if it was adapted."""
    if record.preset is None:
        return record.source
    return record.preset + ("*" if record.number in summary.adapted else "")


def _table(
    title: str,
    records: Sequence[TrialRecord],
    summary: RunSummary,
    top: TrialRecord | None,
    notes: tuple[str, ...] = (),
) -> TrialTable:
    # A column without a single figure only takes room.
    figures = [o for o in OBJECTIVES.values() if any(o.value(r) is not None for r in records)]
    kinds = kinds_of_blocks(records)
    headers = [("#", ""), ("source", ""), *([("blocks", "")] if kinds else [])]
    headers += [(_SHORT.get(one.name, one.label), one.unit) for one in figures]
    rows = []
    for record in records:
        known = [(one, one.value(record)) for one in figures]
        cells = [UNKNOWN if v is None else f"{o.shown(v):.{o.digits}f}" for o, v in known]
        seconds = record.train_seconds
        cells.append(UNKNOWN if seconds is None else f"{seconds:.0f}")
        blocks = [spaced(record.blocks) or UNKNOWN] if kinds else []
        rows.append((str(record.number), source_name(record, summary), *blocks, *cells))
    numbers = [record.number for record in records]
    marked = numbers.index(top.number) if top is not None and top.number in numbers else None
    headers.append(("time", "s"))
    named = {one.name for one in (*summary.weighed, *(one for one, _ in summary.walls))}
    spare = [_SHORT.get(n, OBJECTIVES[n].label) for n in _SPARE if n not in named]
    places = {name: column for column, (name, _) in enumerate(headers)}
    left_out = tuple(places[name] for name in ("time", *spare) if name in places)
    return TrialTable(title, tuple(headers), tuple(rows), marked, notes, left_out)
