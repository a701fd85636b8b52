"""Which network next, and what is it worth? The search, its runs and its records.

``search`` runs a search, ``open_run`` reads one in any state::

    import nas

    run = nas.search("600K-params", profile="quick")    # help(nas.search): every setting
    run.front()                                         # the Pareto front, a DataFrame
    run.best()                                          # a TrialRecord
    nas.open_run("runs/600K-params").finished()         # later, or in another process

``enlarge`` needs no search: it takes a network that ships with its weights::

    large = nas.enlarge(pixels, scale=4)                # (h, w, 3) uint8, by nas.shipped

``make_settings`` and ``run_search`` are its two halves, for a ``Trainer`` of one's own (with its
``Photos``, ``Rung`` and ``Prices``) in the place of the training. What can be built, and how
a network is loaded and run, is in ``search_spaces``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nas.records import Rung, TrialRecord

if TYPE_CHECKING:
    from nas.explore.search import run_search, search
    from nas.explore.settings import make_settings
    from nas.explore.trainer import Photos, Trainer
    from nas.latency.meter import Prices
    from nas.run import Run, open_run
    from nas.upscale.out_of_the_box import enlarge

__all__ = [
    "Photos", "Prices", "Run", "Rung", "Trainer", "TrialRecord", "enlarge", "make_settings",
    "open_run", "run_search", "search",
]  # fmt: skip

# torch, Optuna and pandas load when first needed.
_HOMES = {
    "Photos": "explore.trainer", "Prices": "latency.meter", "Run": "run",
    "Trainer": "explore.trainer", "enlarge": "upscale.out_of_the_box",
    "make_settings": "explore.settings", "open_run": "run", "run_search": "explore.search",
    "search": "explore.search",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
