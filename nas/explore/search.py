"""The search: sets everything up and works until the goal is reached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nas.evaluate.precision import best_device
from nas.explore.context import Joins, set_up
from nas.explore.events import Observer
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.trainer import NetworkTrainer, Trainer
from nas.explore.worker import Worker
from nas.latency.meter import Meter
from nas.run import Run
from nas.stopping import stop_wish
from nas.store.failing import storage_errors
from nas.store.leases import take_lease
from nas.store.study import quietly

__all__ = ["run_search", "search"]


def search(
    budgets: Sequence[str] = (), *, observer: Observer | None = None, **settings: Any
) -> Run:
    """Searches for the best networks within the budgets, or goes on with a search.

    Args:
        budgets: such as ``["600K-params", "25ms-latency"]``.
        observer: told what happens, with the records of ``nas.explore.events``.
        **settings: see ``nas.explore.settings.make_settings``.

    Returns:
        The run; ``run.front()`` is its Pareto front as a DataFrame.

    Raises:
        InputError: a setting that makes no sense.
    """
    return run_search(make_settings(budgets, **settings), observer)


def run_search(
    settings: SearchSettings,
    observer: Observer | None = None,
    *,
    trainer: Trainer | None = None,
    meter: Meter | None = None,
    joins: Joins | None = None,
) -> Run:
    """Runs a search until its goal, its time limit or a KeyboardInterrupt, which is passed on.

    In the main thread, Ctrl-C and SIGTERM become such a one where stopping does no harm; the second
    of them, at once.

    Args:
        settings: of the search.
        observer: told what happens.
        trainer: says what networks are worth; by default it trains them on the photos.
        meter: says what networks cost; by default it measures their latency as well.
        joins: given where this worker joins a study that is there already.

    Raises:
        InputError: photos, budgets, a run folder or a store that cannot be used.
    """
    quietly()
    device = str(best_device(settings.device))
    if meter is None:
        meter = Meter(
            settings.budgets, settings.hr, settings.latency_lr, device, settings.latency_model
        )
    # Whatever can be said without the run folder is said before one is made.
    meter.check_possible(settings.space, settings.scale)
    patient = joins is not None and joins.patient
    with stop_wish() as wish:
        lease = take_lease(settings.storage, settings.study_name, settings.run, patient=patient)
        try:
            with storage_errors():
                if trainer is None:
                    with wish.at_once():
                        trainer = NetworkTrainer.of(settings, device)
                # Two workers that start at once would both make the study.
                with lease.turn():
                    lease.sweep()
                    bench = set_up(settings, meter, trainer, joins)
                Worker(bench, observer or _ignore, lease, wish).work()
        finally:
            lease.release()
    return bench.run


def _ignore(event: object) -> None:
    return None
