"""The open tables, to which tests add things as users do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nas.deploy.formats import FORMATS
from nas.deploy.runtimes import RUNTIMES
from nas.explore.sampler import SAMPLERS
from nas.objectives import OBJECTIVES
from search_spaces import extensions
from search_spaces.attention import ATTENTIONS
from search_spaces.blocks import BLOCKS
from search_spaces.convs import CONVS
from search_spaces.skips import SKIPS

__all__ = ["restored"]

_TABLES: tuple[Any, ...] = (
    ATTENTIONS,
    BLOCKS,
    CONVS,
    SKIPS,
    FORMATS,
    RUNTIMES,
    OBJECTIVES,
    SAMPLERS,
)


@contextmanager
def restored() -> Iterator[None]:
    """Whatever is added inside is gone afterwards, and so are the files that added it."""
    entries = [dict(table._entries) for table in _TABLES]
    files = list(extensions._imported)
    try:
        yield
    finally:
        for table, before in zip(_TABLES, entries, strict=True):
            table._entries.clear()
            table._entries.update(before)
        extensions._imported[:] = files
