"""Tables of text for the screen and as Markdown; records as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nas.objectives import OBJECTIVES
from nas.records import TrialRecord
from reports.tables import TrialTable

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["to_csv", "to_markdown", "to_rich"]

_FIGURES = tuple(one.attribute for one in OBJECTIVES.values())
_CSV = ("number", "state", "source", *_FIGURES, "latency_min_ms", "train_steps", "train_seconds",
        "architecture_hash", "reason")  # fmt: skip
_WORDS = ("source",)


def to_rich(table: TrialTable) -> Table:
    """The table for a terminal of 80 characters or more; the best trial stands out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(table.title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    drawn.padding = (0, 1, 0, 0)
    if table.notes:
        drawn.caption, drawn.caption_justify = Text("\n".join(table.notes), style="dim"), "left"
    for name, unit in table.headers:
        numeric = name not in _WORDS
        header = Text(name).append(f"\n{unit}", style="dim")
        drawn.add_column(header, justify="right" if numeric else "left", no_wrap=numeric)
    for index, row in enumerate(table.rows):
        # Text and not a string: a source or reason may hold what rich reads as markup.
        cells = [Text(cell) for cell in row]
        drawn.add_row(*cells, style="bold green" if index == table.marked else None)
    return drawn


def to_markdown(table: TrialTable) -> str:
    """The table in GitHub's Markdown, the best trial in bold, then its notes as a list."""
    heads = [f"{name} [{unit}]" if unit else name for name, unit in table.headers]
    rules = [":--" if name in _WORDS else "--:" for name, _ in table.headers]
    lines = [heads, rules]
    for index, row in enumerate(table.rows):
        mark = "**" if index == table.marked else ""
        lines.append([f"{mark}{_escaped(cell)}{mark}" for cell in row])
    drawn = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    notes = "".join(f"- {_escaped(note)}\n" for note in table.notes)
    return f"{drawn}\n{notes}" if notes else drawn


def to_csv(records: Iterable[TrialRecord]) -> str:
    """The records' figures in their own units and full precision; what is unknown is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV)
    for record in records:
        writer.writerow([getattr(record, name) for name in _CSV])
    return text.getvalue()


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\|*_`<\[\]])", r"\\\1", text)
