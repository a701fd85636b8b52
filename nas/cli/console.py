"""A terminal for tables and progress: what stands in them is text, whatever it looks like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from nas.cli.lines import printable

__all__ = ["PlainConsole", "figures_table"]


class PlainConsole(Console):
    """Reads neither markup nor names of emoji; control characters in names are written out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As `Console`, but for what no terminal shows: before its width counts."""
        return super().render_str(printable(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The same for texts that come ready-made."""
        for one in super().render(renderable, options):
            shown = one.text if one.control else printable(one.text)
            yield one if shown == one.text else Segment(shown, one.style)


def figures_table(*headings: str, title: str | None = None, names: int = 1) -> Table:
    """A table whose first columns hold ``names``, and the others figures, aligned to the right.

    Where it is too narrow, names go on in the next line: nothing is cut, figures are never broken.
    """
    shown = None if title is None else Text(title)
    table = Table(title=shown, title_justify="left", box=box.SIMPLE_HEAD)
    for number, heading in enumerate(headings):
        if number < names:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True, overflow="fold")
    return table
