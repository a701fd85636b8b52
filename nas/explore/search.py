"""The search: sets everything up and works until the goal is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Unpack

from nas.evaluate.precision import best_device
from nas.explore.context import Context, Joins, set_up
from nas.explore.events import DeviceAway, MachineBusy, NetworksMeasured, Observer
from nas.explore.keywords import Keywords, tells_keywords_of
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.trainer import NetworkTrainer, Trainer
from nas.explore.worker import Worker
from nas.latency.command.clock import DeviceClock
from nas.latency.command.kept import KEPT, KeptTimes
from nas.latency.meter import Meter
from nas.latency.possible import Possible, check_possible
from nas.run import Run
from nas.stopping import StopWish, stop_wish
from nas.store.errors import storage_errors
from nas.store.leases import Lease, take_lease
from nas.store.study import quietly

__all__ = ["Prepare", "meter_of", "prepared", "run_search", "search"]


@tells_keywords_of(SearchSettings)
def search(
    budget: Sequence[str] | str = (),
    *,
    observer: Observer | None = None,
    **settings: Unpack[Keywords],
) -> Run:
    """Searches for the best networks within the budgets, or goes on with a search.

    Args:
        budget: the most that a network may cost, one or several: ``"600K-params"``;
            ``"30G-flops"``, multiply-adds for a 1280x720 output, as ``"30G-macs"``;
            ``"120M-activations"``, elements of all convolutions' outputs; ``"25ms-latency"``,
            measured here; ``"200MB-memory"``, weights and live tensors; ``"7-esr_score"``, NTIRE's
            of time, multi-adds and parameters. ``()``: no limit.
        observer: told what happens, with the records of ``nas.explore.events``.
        **settings: those below: what ``nas search`` has as options, by the same names.

    Returns:
        The run; ``run.front()`` is its Pareto front as a DataFrame.

    Raises:
        InputError: a setting that makes no sense.

    Example:
        >>> run = nas.search("600K-params", profile="quick", trials=24, data="photos")
        >>> run.front()[["number", "psnr_y_db", "params", "macs"]]
        >>> network = search_spaces.load(run.weights(run.best()))
    """
    return run_search(make_settings(budget, **settings), observer)


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
    tell = observer or (lambda event: None)
    meter = meter or meter_of(settings)
    with prepared(settings, meter, tell, patient=joins is not None and joins.patient) as prepare:
        context = prepare(trainer, joins)
        Worker(context, tell, prepare.lease, prepare.wish).work()
    return context.run


def meter_of(settings: SearchSettings) -> Meter:
    """What says the costs of a search's networks.

    Raises:
        InputError: no such device here, or no such program as a latency command starts.
    """
    return Meter(
        settings.budget,
        settings.hr,
        settings.latency_lr,
        str(best_device(settings.device)),
        settings.latency_model,
        settings.threads,
        scores=settings.weighs_score,
        clock=_clock_of(settings),
    )


def _clock_of(settings: SearchSettings) -> DeviceClock | None:
    """What asks the device of a command, and keeps in the run folder what that has told."""
    setup = settings.device_commands
    if setup is None:
        return None
    kept = KeptTimes(settings.run / KEPT, settings.latency_pattern or "")
    return DeviceClock(setup, settings.latency_lr, kept=kept)


@dataclass(frozen=True)
class Prepare:
    """Opens a search's study and run folder, with a sign of life and a wish to stop."""

    settings: SearchSettings
    meter: Meter
    lease: Lease
    wish: StopWish
    possible: Possible

    def __call__(self, trainer: Trainer | None = None, joins: Joins | None = None) -> Context:
        """The context, made unless a worker ``joins`` others; see `set_up`."""
        if trainer is None:
            with self.wish.at_once():
                trainer = NetworkTrainer.of(self.settings, self.meter.device)
        # Two workers that start at once would both make the study.
        with self.lease.turn():
            self.lease.sweep()
            context = set_up(self.settings, self.meter, trainer, joins, self.possible.points)
        return replace(context, notes=(*self.possible.notes, *context.notes))


@contextmanager
def prepared(
    settings: SearchSettings, meter: Meter, tell: Observer, *, patient: bool = False
) -> Iterator[Prepare]:
    """What every start of a search begins with: budgets that can be met, a lease on its store.

    Raises:
        InputError: a budget that no network meets, or a store that cannot be used.
    """
    quietly()
    if meter.clock is not None:
        meter.clock.pool.tell = lambda line: tell(DeviceAway(line))
    meter.measure_baselines(settings.space, settings.scale)
    # Whatever can be said without the run folder is said before one is made.
    possible = check_possible(
        meter, settings.space, settings.scale, lambda done, of: tell(NetworksMeasured(done, of))
    )
    if (times := meter.busy_news()) is not None:
        tell(MachineBusy(times))
    with stop_wish() as wish:
        lease = take_lease(settings.storage, settings.study_name, settings.run, patient=patient)
        try:
            with storage_errors():
                yield Prepare(settings, meter, lease, wish, possible)
        finally:
            lease.release()
