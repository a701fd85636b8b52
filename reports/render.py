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


def to_rich(table: TrialTable, width: int = 80) -> Table:
    """The table for a terminal of so many characters; the best trial stands out.

    Columns that may be left out are, as far as there is no room for them.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=Text(table.title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD)
    drawn.padding = (0, 1, 0, 0)
    if table.notes:
        drawn.caption, drawn.caption_justify = Text("\n".join(table.notes), style="dim"), "left"
    shown = _with_room(table, width)
    for column in shown:
        name, unit = table.headers[column]
        numeric = table.is_figure(column)
        header = Text(name).append(f"\n{unit}", style="dim")
        drawn.add_column(header, justify="right" if numeric else "left", no_wrap=numeric)
    for index, row in enumerate(table.rows):
        # Text and not a string: a source or reason may hold what rich reads as markup.
        cells = [Text(row[column]) for column in shown]
        drawn.add_row(*cells, style="bold green" if index == table.marked else None)
    return drawn


def _with_room(table: TrialTable, width: int) -> list[int]:
    rows = [tuple(name for name, _ in table.headers), *table.rows]
    # Two spaces part a column from the next, and one stands before the first.
    needs = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    shown = list(range(len(needs)))
    for column in table.spare:
        if 1 + sum(needs[one] for one in shown) <= width:
            break
        shown.remove(column)
    return shown


def to_csv(records: Iterable[TrialRecord]) -> str:
    """The records' figures in their own units and full precision; what is unknown is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    figures = [one.attribute for one in OBJECTIVES.values()]
    columns = ["number", "state", "source", "blocks", *figures, "latency_min_ms", "train_steps",
               "train_seconds", "architecture_hash", "reason"]  # fmt: skip
    writer.writerow(columns)
    for record in records:
        writer.writerow([record.figure(name) for name in columns])
    return text.getvalue()
