"""A worker that joins a study: everything it needs to know stands there."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nas.data.places import PHOTO_FOLDERS
from nas.explore.context import Joins
from nas.explore.events import Observer
from nas.explore.remote_trainer import RemoteTrainer
from nas.explore.search import meter_of, run_search
from nas.explore.settings import SearchSettings
from nas.explore.study_settings import (
    calibration_of,
    check_device,
    check_marked,
    load_study,
    places,
    settings_of,
    span_ms_of,
)
from nas.explore.trainer import NetworkTrainer, Trainer
from nas.run import Run
from nas.store.errors import storage_errors
from nas.store.remote import RemoteFiles
from nas.store.study import open_storage, quietly
from nas.workers.job import WorkerJob

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["work_on"]


def work_on(job: WorkerJob, observer: Observer) -> Run:
    """Works on a study until its goal, as one of its workers.

    Raises:
        InputError: no such study, one of another version, other photos, or checkpoints that
            the other workers do not see.
    """
    quietly()
    with storage_errors():
        storage = open_storage(job.storage, patient=job.patient, existing=True)
        study = load_study(storage, job.study, job.storage)
        check_device(study)
        with _folder(job, study) as (run, is_the_searchs, checkpoints):
            settings = _settings(job, study, run)
            # With the search's threads, not with this worker's share of them: the others' steps
            # wait for a measurement.
            meter = meter_of(settings)
            if calibration := calibration_of(study):
                meter.take_over(calibration, settings.space, settings.scale)
            meter.span_ms |= span_ms_of(study)
            trainer: Trainer = NetworkTrainer.of(settings, meter.device)
            if checkpoints is not None:
                trainer = RemoteTrainer(trainer, RemoteFiles(checkpoints))
            return run_search(
                settings,
                observer,
                trainer=trainer,
                meter=meter,
                joins=Joins(is_the_searchs, job.patient),
            )


@contextmanager
def _folder(job: WorkerJob, study: Study) -> Iterator[tuple[Path, bool, str | None]]:
    """The run folder, whether it is the search's own, and where checkpoints go beyond it."""
    named = _settings(job, study, Path()).checkpoints
    if job.run is not None:
        # Of the machine that made the study: everything is where it says.
        yield Path(job.run), True, named
        return
    there = job.checkpoints or named or str(places(study)["run"])
    check_marked(study, there)
    if named is None and "://" not in there:
        yield Path(there), True, None
        return
    scratch = tempfile.mkdtemp(prefix="nas-worker-")
    try:
        yield Path(scratch), False, there
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _settings(job: WorkerJob, study: Study, run: Path) -> SearchSettings:
    lie = places(study)
    return settings_of(
        study,
        **{name: getattr(job, name) or lie[name] for name in PHOTO_FOLDERS},
        storage=job.storage,
        run=run,
        device=job.device,
        timeout=job.timeout_s,
    )
