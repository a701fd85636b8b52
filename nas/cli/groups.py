"""Options of one command in groups, where there are too many for one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperCommand

__all__ = ["grouped"]


def grouped(groups: Mapping[str, Sequence[str]]) -> type[TyperCommand]:
    """The class of a command whose help shows its options in these groups, in their order.

    Args:
        groups: names of parameters by the group's title; what is in none comes first.
    """
    titles = {name: title for title, names in groups.items() for name in names}
    order = list(titles)

    class Grouped(TyperCommand):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.params.sort(key=lambda one: order.index(one.name) if one.name in titles else -1)
            for one in self.params:
                if one.name in titles:
                    # Options of several commands are shared: only here they are in this group.
                    one.rich_help_panel = titles[one.name]  # type: ignore[attr-defined]

    return Grouped
