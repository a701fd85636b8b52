"""Which dimensions of the search space matter, and for what.

:func:`importance_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from reports.account import Importance
from search_spaces.errors import NothingToDraw

__all__ = ["ImportanceInfo", "importance_info"]

_MOST = 12


class ImportanceInfo(NamedTuple):
    """All that the figure says: a bar for each target and dimension, in percent.

    ``dimensions`` come with the most important for the first target first; ``percent`` has a
    row for each target.
    """

    title: str
    subtitle: str
    targets: tuple[str, ...]
    dimensions: tuple[str, ...]
    percent: tuple[tuple[float, ...], ...]


def importance_info(importance: Sequence[Importance]) -> ImportanceInfo:
    """What the figure of a run says.

    Raises:
        NothingToDraw: no importance is known.
    """
    known = [one for one in importance if one.shares]
    if not known:
        raise NothingToDraw("no importance is known: it needs ten finished trials")
    ordered = tuple(dict.fromkeys(name for one in known for name in one.shares))
    heavy = {d for one in known for d in sorted(one.shares, key=one.shares.__getitem__)[-_MOST:]}
    dimensions = tuple(d for d in ordered if d in heavy)[:_MOST]
    least = len(ordered) - len(dimensions)
    return ImportanceInfo(
        "What the dimensions weigh",
        "Share in what tells the best tenth of the networks from all of them (PED-ANOVA)"
        + (f"; {least} lighter dimensions are not shown" if least else ""),
        tuple(one.target for one in known),
        dimensions,
        tuple(tuple(100 * one.shares.get(d, 0.0) for d in dimensions) for one in known),
    )
