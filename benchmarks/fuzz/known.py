"""Failures that are known and not mended yet; this list must shrink to nothing."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["KNOWN", "unknown_of"]

KNOWN: frozenset[str] = frozenset()
"""Names of failures, as the campaign tells them."""


def unknown_of(names: Iterable[str]) -> list[str]:
    """Those that are not known."""
    return [name for name in names if name not in KNOWN]
