"""A search by several workers: its study made once, an engine that places them, its tables."""

from __future__ import annotations

from dataclasses import replace

from nas.explore.events import Event, MachineBusy, Observer, SearchEnded, SearchStarted
from nas.explore.search import meter_of, prepared, run_search
from nas.explore.settings import SearchSettings
from nas.explore.study_settings import load_study
from nas.records import FAILED, FINISHED
from nas.run import Run, embedded_storage
from nas.store.leases import Lease
from nas.store.ledger import Ledger
from nas.store.remote import RemoteFiles
from nas.store.shutdown import LEAVE_S, leaving
from nas.store.study import open_storage, recover_interrupted
from nas.tables import sweep_weights, write_tables
from nas.workers.crew import Crew
from nas.workers.engines import ENGINES
from nas.workers.job import WorkerJob
from search_spaces.errors import InputError
from search_spaces.extensions import imported_files

__all__ = ["search_together"]


def search_together(
    settings: SearchSettings, crew: Crew, observer: Observer = lambda event: None
) -> Run:
    """Runs a search with a crew until its goal, its time limit or a KeyboardInterrupt.

    A single local worker works in this process. The second Ctrl-C or SIGTERM is not waited with:
    what was in work then, the next start finds out.

    Raises:
        InputError: a setting, a store or a place for checkpoints that cannot be used, or more
            workers than there is room for.
    """
    if crew.engine not in ENGINES:
        raise InputError(f"engine: expected one of {', '.join(ENGINES)}, got {crew.engine!r}")
    engine = ENGINES[crew.engine]
    crew, observer = engine.check(settings, crew), _busy_once(observer)
    if crew.engine == "local" and crew.workers == 1 and settings.checkpoints is None:
        return run_search(settings, observer)
    if settings.checkpoints is not None:
        RemoteFiles(settings.checkpoints)
    url = settings.storage or embedded_storage(settings.run.resolve())
    ended = None
    with prepared(settings, meter_of(settings), observer) as prepare:
        lease, wish = prepare.lease, prepare.wish
        # The study and the run folder are there before any worker can look for them.
        context = prepare()
        run = context.run
        try:
            if crew.workers != 0:
                job = _job(settings, url)
                ended = engine.run(
                    job, crew, settings.run / "workers", _noting(observer, context.notes)
                )
        except KeyboardInterrupt:
            if not wish.insists:
                with leaving(wish):
                    _finish(run, settings, url, lease, LEAVE_S)
            raise
        except BaseException:
            _finish(run, settings, url, lease)
            raise
        trained = _finish(run, settings, url, lease)
    reason = ended.reason if ended is not None else "the workers are elsewhere"
    reason = "goal reached" if trained >= settings.trials else reason
    observer(SearchEnded(reason, trained, settings.trials))
    return run


def _busy_once(observer: Observer) -> Observer:
    """An observer that is told of a busy machine once, whoever of the workers notices it."""
    told = False

    def tell(event: Event) -> None:
        nonlocal told
        if not (told and isinstance(event, MachineBusy)):
            observer(event)
        told = told or isinstance(event, MachineBusy)

    return tell


def _noting(observer: Observer, notes: tuple[str, ...]) -> Observer:
    """An observer that is told the notes of the start, which workers do not know."""

    def tell(event: Event) -> None:
        if isinstance(event, SearchStarted):
            event = replace(event, notes=(*notes, *event.notes))
        observer(event)

    return tell


def _job(settings: SearchSettings, url: str) -> WorkerJob:
    return WorkerJob(
        url,
        settings.study_name,
        run=str(settings.run.resolve()),
        **settings.places.only_plain(),
        device=settings.device,
        timeout_s=settings.timeout,
        imports=tuple(str(file) for file in imported_files()),
        patient=True,
    )


def _finish(
    run: Run, settings: SearchSettings, url: str, lease: Lease, limit_s: float | None = None
) -> int:
    """Leaves the tables and the front's weights in the run folder; how many are trained."""
    study = load_study(open_storage(url, existing=True), settings.study_name, url)
    with lease.turn(limit_s):
        recover_interrupted(study, lease.alive)
        lease.sweep()
        standing = Ledger(study).read()
        records = standing.records
        if settings.checkpoints is not None:
            remote = RemoteFiles(settings.checkpoints)
            for record in run.kept(records):
                weights = run.weights(record)
                if not weights.exists():
                    remote.get(f"weights/{weights.name}", weights)
            # A worker that died right after the end of a training leaves its checkpoint.
            over = {r.architecture_hash for r in records if r.state in (FINISHED, FAILED)}
            for name in remote.names("checkpoints"):
                if name.removesuffix(".pt") in over:
                    remote.remove(f"checkpoints/{name}")
        write_tables(run, records)
        sweep_weights(run, records)
    return standing.trained
