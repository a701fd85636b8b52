"""The context of a search: everything that is opened and checked before the first trial."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nas.evaluate.environment import environment
from nas.explore.propose import fixed_parameters
from nas.explore.settings import SearchSettings
from nas.explore.study_settings import check_photos, load_study, publish
from nas.explore.trainer import Photos, Trainer
from nas.explore.warm import WarmStart, warm_starts
from nas.latency.meter import Figures, Meter
from nas.run import Run, embedded_storage, open_run
from nas.run_file import RUN_FILE, SCHEMA_VERSION, read_run_file, write_run
from nas.store.database import IN_MEMORY, database_file, parse_url, shown
from nas.store.errors import damaged_rows, reading
from nas.store.ledger import read_records
from nas.store.study import IDENTITY, load, open_storage, open_study
from nas.tables import RESULTS, check_nothing_lost
from search_spaces.catalog import preset_names
from search_spaces.errors import InputError
from search_spaces.extensions import imported_files
from search_spaces.space import Point

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["Context", "Joins", "set_up"]

_OURS = (RUN_FILE, *RESULTS, "weights", "checkpoints", "pareto.png", "pareto.svg")
"""What a search writes into its run folder, and writes anew as it goes on."""


@dataclass(frozen=True)
class Context:
    """What the trials of one search share.

    Attributes:
        settings: of the search.
        meter: prices and measures networks.
        trainer: says what they are worth.
        study: the Optuna study.
        run: the run folder.
        keeps_tables: whether the run folder is the search's own, so that its tables are there.
        notes: lines for the user, such as what a warm start leaves out.
    """

    settings: SearchSettings
    meter: Meter
    trainer: Trainer
    study: Study
    run: Run
    keeps_tables: bool = True
    notes: tuple[str, ...] = ()

    def made_with(self, figures: Figures) -> dict[str, Any]:
        """How a trial's figures come about, for its record."""
        return {
            "profile": self.settings.profile,
            "recipe": self.settings.recipe.model_dump(mode="json"),
            "data": self.trainer.photos.name,
            "data_fingerprint": self.trainer.photos.fingerprint,
            "space": self.settings.space.name,
            "space_hash": self.settings.space.hash,
            "sampler": self.settings.sampler,
            "seed": self.settings.seed,
            "latency": figures.measured_with,
            "environment": environment().to_dict(),
        }


@dataclass(frozen=True)
class Joins:
    """How a worker joins a study that is there already.

    Attributes:
        keeps_tables: whether its run folder is the search's own.
        patient: whether it waits for a store that cannot be reached at first.
    """

    keeps_tables: bool = True
    patient: bool = False


def set_up(
    settings: SearchSettings,
    meter: Meter,
    trainer: Trainer,
    joins: Joins | None = None,
    small: Sequence[Point] = (),
) -> Context:
    """Opens the study and the run folder, or makes them unless this worker ``joins`` others.

    A new study begins with the warm starts, then ``small`` networks that chance would hardly find,
    then the space's starting points.

    Raises:
        InputError: a study of another search, or a folder or store that cannot be written.
    """
    photos = trainer.photos
    identity = settings.identity(photos.name, photos.fingerprint)
    url = settings.storage or embedded_storage(settings.run)
    name = settings.study_name
    if joins is not None:
        study = load_study(open_storage(url, patient=joins.patient, existing=True), name, url)
        check_photos(study, photos.fingerprint)
        # Its folder may be a scratch one, without the audit of the run.
        about = {
            "study": name,
            "storage": None,
            "identity": study.user_attrs[IDENTITY],
            "prefer": settings.prefer,
            "noise_db": settings.noise.psnr_db,
        }
        run = Run(settings.run, about, url)
        return Context(settings, meter, trainer, study, run, joins.keeps_tables)

    _check_study(settings, url)
    # What it says that is wrong is said before a study is made.
    warm = list(warm_starts(settings, meter))

    def queue_first(study: Study) -> None:
        _queue_warm(study, warm)
        queued = _queue_small(study, settings, meter, small)
        published = preset_names()
        for system, point in settings.space.starting_points.items():
            narrowed = settings.space.narrowed(point, settings.scale, meter.fits)
            if narrowed is None:
                continue
            parameters = fixed_parameters(settings.space, narrowed, settings.scale, meter)
            name = settings.space.architecture(narrowed, settings.scale).hash
            if parameters is not None and name not in queued:
                queued.add(name)
                whole = "preset" if system in published else "start"
                kind = whole if narrowed == point else "narrowed"
                study.enqueue_trial(dict(parameters), user_attrs={"source": f"{kind}:{system}"})

    study = open_study(open_storage(url), name, settings.objectives, identity, queue_first)
    about = _about(settings, identity, photos)
    with reading(str(settings.run)):
        check_nothing_lost(settings.run, read_records(study))
    _queue_warm(study, warm)
    in_memory = settings.storage == IN_MEMORY
    if not in_memory:
        publish(study, settings, meter)
    write_run(settings.run, about)
    run = open_run(settings.run, storage=settings.storage)
    if in_memory:
        run = replace(run, study=study)
    notes = tuple(note for note in (one.note for one in warm) if note)
    return Context(settings, meter, trainer, study, run, notes=notes)


def _check_study(settings: SearchSettings, url: str) -> None:
    """Makes sure that what the run folder holds is of the study that is about to be opened.

    A search that began anew there would overwrite it.

    Raises:
        InputError: a run.yaml that names another store, or results whose study is gone.
    """
    folder = settings.run
    there = [one for one in _OURS if (folder / one).exists()]
    if not there:
        return
    given = shown(settings.storage) if settings.storage else None
    try:
        told = read_run_file(folder)["storage"]
    except InputError:
        # A damaged one says nothing that its study does not know, and is written anew where that
        # is there.
        told = given
    if _place(told) != _place(given):
        raise InputError(
            f"{folder}: its study is in {told or 'the folder itself'}, not in "
            f"{given or 'the folder itself'}; name that with --storage (or leave it out), or "
            f"choose another --run folder"
        )
    file = database_file(url)
    if url == IN_MEMORY or (file is not None and not (file.is_file() and file.stat().st_size)):
        found = None
    else:
        storage = open_storage(url)
        with reading(str(folder)):
            found = load(storage, settings.study_name)
    if found is None:
        raise InputError(
            f"{folder} holds {there[0]}, which a search would overwrite, but no study "
            f"{settings.study_name!r} is in {shown(url)}; put that back, or choose another "
            f"--run folder"
        )


def _place(url: str | None) -> str | None:
    """A store's URL without who opens it."""
    if url is None or url == IN_MEMORY:
        return url
    return parse_url(url).set(username=None, password=None).render_as_string()


def _known(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def _queue_warm(study: Study, warm: Sequence[WarmStart]) -> None:
    """Queues the networks that the study does not have from an earlier start."""
    with damaged_rows(f"study {study.study_name!r}"):
        there = {trial.user_attrs.get("source") for trial in study.get_trials(deepcopy=False)}
    for one in warm:
        if one.parameters is not None and one.source not in there:
            study.enqueue_trial(dict(one.parameters), user_attrs={"source": one.source})


def _queue_small(
    study: Study, settings: SearchSettings, meter: Meter, small: Sequence[Point]
) -> set[str]:
    """Queues small networks that fit; returns their hashes."""
    space, queued = settings.space, set[str]()
    for point in small:
        parameters = fixed_parameters(space, point, settings.scale, meter)
        name = space.architecture(point, settings.scale).hash
        if parameters is not None and name not in queued:
            queued.add(name)
            study.enqueue_trial(dict(parameters), user_attrs={"source": "smallest"})
    return queued


def _about(settings: SearchSettings, identity: dict[str, Any], photos: Photos) -> dict[str, Any]:
    url = settings.storage
    safe = shown(url) if url else None
    # A password stays with the user, who gives the URL again.
    command = " ".join(["nas", *sys.argv[1:]])
    return {
        "schema_version": SCHEMA_VERSION,
        "study": settings.study_name,
        "storage": safe,
        "identity": identity,
        "bicubic": {
            "psnr_y_db": _known(photos.bicubic_psnr_y_db),
            "ssim_y": _known(photos.bicubic_ssim_y),
        },
        "photos": {
            "train": photos.train,
            "validation": list(photos.validation),
            # Where they were read, for whoever trains these networks again.
            **settings.places.only_plain(),
            "degradation": settings.places.to_plain()["degradation"],
        },
        "sampler": settings.sampler,
        "seed": settings.seed,
        "trials": settings.trials,
        "prefer": settings.prefer,
        "noise_db": settings.noise_db,
        "imports": [str(file) for file in imported_files()],
        "command": command.replace(url, safe) if url and safe else command,
        "environment": environment().to_dict(),
    }
