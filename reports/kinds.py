"""The families that networks belong to, told apart by the kinds of their blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from nas.records import TrialRecord

__all__ = ["kinds_of_blocks"]


def kinds_of_blocks(records: Iterable[TrialRecord]) -> tuple[str, ...]:
    """The kinds of blocks, the commonest first; none where all networks have the same."""
    counted = Counter(record.blocks for record in records if record.blocks)
    ordered = sorted(counted, key=lambda kind: (-counted[kind], kind))
    return tuple(ordered) if len(ordered) > 1 else ()
