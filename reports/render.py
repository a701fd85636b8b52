"""Tables of text for the screen; records as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nas.objectives import OBJECTIVES
from nas.records import TrialRecord
from reports.tables import TrialTable

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["to_csv", "to_rich"]

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


def to_csv(records: Iterable[TrialRecord]) -> str:
    """The records' figures in their own units and full precision; what is unknown is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = [one.attribute for one in OBJECTIVES.values()]
    columns = ["number", "state", "source", *figures, "latency_min_ms", "train_steps",
               "train_seconds", "architecture_hash", "reason"]  # fmt: skip
    writer.writerow(columns)
    for record in records:
        writer.writerow([record.figure(name) for name in columns])
    return text.getvalue()
