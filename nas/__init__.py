"""Which network next, and what is it worth? The search, its runs and its records."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nas.records import TrialRecord

if TYPE_CHECKING:
    from nas.explore.search import search
    from nas.run import Run, open_run

__all__ = ["Run", "TrialRecord", "open_run", "search"]

# torch, Optuna and pandas load when first needed.
_HOMES = {"Run": "run", "open_run": "run", "search": "explore.search"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
