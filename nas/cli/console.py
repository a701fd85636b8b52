"""A terminal for tables and progress: what stands in them is text, whatever it looks like."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from nas.cli.lines import printable

__all__ = ["PlainConsole"]


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
