"""Packages that only some of the work needs, and the extras that bring them."""

from __future__ import annotations

import importlib.util

from search_spaces.errors import MissingExtra

__all__ = ["need"]


def need(what: str, extra: str, *packages: str) -> None:
    """Makes sure that packages are there, without importing them.

    Args:
        what: needs them, for the message.
        extra: of this project; brings them.
        packages: names to import.

    Raises:
        MissingExtra: one or more are not installed.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        told = f"{what} needs {', '.join(missing)}, which the extra {extra!r} brings"
        raise MissingExtra(told, extra)
