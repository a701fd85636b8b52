"""Prices before and after, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas.cli.console import PlainConsole, figures_table

if TYPE_CHECKING:
    from search_spaces import Price

__all__ = ["print_prices"]

_ROWS = (
    ("Parameters", "params", 1e3, "K"),
    ("Multi-Adds", "macs", 1e9, "G"),
    ("Activations", "activations", 1e6, "M"),
)


def print_prices(name: str, before: Price, after: Price) -> None:
    """A table of what the network cost and costs, for an output of 1280x720."""
    table = figures_table("", "Before", "After", "Left", title=name)
    for label, figure, divisor, unit in _ROWS:
        old, new = getattr(before, figure), getattr(after, figure)
        cells = (f"{old / divisor:,.2f} {unit}", f"{new / divisor:,.2f} {unit}")
        table.add_row(label, *cells, f"{new / old:.1%}")
    PlainConsole().print(table)
