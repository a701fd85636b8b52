"""What a study says of its search, for workers that know only the store and its name."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from annotated_types import Gt

from nas.data.places import PHOTO_FOLDERS
from nas.evaluate.environment import environment
from nas.explore.settings import SearchSettings
from nas.explore.stored import SETTINGS, settings_from_text, settings_to_text
from nas.latency.meter import Meter
from nas.plain import from_plain
from nas.run_file import Identity
from nas.store.database import shown
from nas.store.errors import reading
from nas.store.remote import RemoteFiles
from nas.store.study import IDENTITY, load
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage

__all__ = [
    "calibration_of",
    "check_device",
    "check_marked",
    "check_photos",
    "load_study",
    "places",
    "publish",
    "settings_of",
    "span_ms_of",
]

_PLACES, _ID, _CALIBRATION = "nas_places", "nas_id", "nas_calibration"
_SPAN = "nas_span_ms"


_Latency: TypeAlias = Annotated[float, Gt(0)]


def publish(study: Study, settings: SearchSettings, meter: Meter) -> None:
    """Writes the settings into the study, and its mark where the checkpoints will be.

    And what the meter has measured, which the other workers take over. What networks are scored by
    is kept as it was first written, for one start after another: it goes to the meter as well.

    Raises:
        InputError: the place for checkpoints cannot be written.
    """
    attrs = study.user_attrs
    identifier = attrs.get(_ID) or uuid.uuid4().hex
    new: dict[str, Any] = {
        _ID: identifier,
        _PLACES: {
            "run": str(settings.run.resolve()),
            **settings.places.only_plain(),
            "device": environment().device,
        },
        SETTINGS: settings_to_text(settings),
        _CALIBRATION: list(meter.calibration),
    }
    meter.span_ms |= span_ms_of(study)
    if meter.span_ms:
        new[_SPAN] = {str(colors): took_ms for colors, took_ms in meter.span_ms.items()}
    for key, value in new.items():
        if attrs.get(key) != value:
            study.set_user_attr(key, value)
    RemoteFiles(settings.checkpoints or settings.run).mark(identifier)


def load_study(storage: BaseStorage, name: str, url: str) -> Study:
    """A study that ``nas search`` has made.

    Raises:
        InputError: there is none of that name.
    """
    import optuna

    where = f"storage {shown(url)}"
    with reading(where):
        study = load(storage, name)
        names = [] if study else [s.study_name for s in optuna.get_all_study_summaries(storage)]
        attrs = study.user_attrs if study else {}
    if study is None:
        raise InputError(
            f"{where}: no study {name!r}, only: {', '.join(sorted(names)) or 'none'}; "
            f"make it with nas search --storage"
        )
    if not {IDENTITY, SETTINGS, _PLACES, _ID} <= attrs.keys():
        raise InputError(f"study {name!r} was not made by nas search; name one that was")
    identity_of(study)
    places(study)
    return study


def calibration_of(study: Study) -> tuple[float, ...]:
    """What the worker that made the study measured first, ms; nothing where no budget asks for it.

    Raises:
        InputError: its attribute holds something else.
    """
    where = f"study {study.study_name!r}: {_CALIBRATION}"
    return from_plain(tuple[_Latency, ...], study.user_attrs.get(_CALIBRATION, []), where)


def span_ms_of(study: Study) -> dict[int, float]:
    """What SPAN took by its number of colours, ms; nothing where networks are not scored.

    Raises:
        InputError: its attribute holds something else.
    """
    where = f"study {study.study_name!r}: {_SPAN}"
    kept = from_plain(dict[Literal["1", "3"], _Latency], study.user_attrs.get(_SPAN, {}), where)
    return {int(colors): took_ms for colors, took_ms in kept.items()}


def identity_of(study: Study) -> Identity:
    """What the study's trials have in common.

    Raises:
        InputError: its attribute holds something else.
    """
    where = f"study {study.study_name!r}: {IDENTITY}"
    identity = from_plain(Identity, study.user_attrs[IDENTITY], where)
    identity.check(where)
    return identity


def settings_of(study: Study, /, **local: Any) -> SearchSettings:
    """The study's settings; see ``nas.explore.stored.settings_from_text``.

    Raises:
        InputError: another version made the study, or its space means something else here.
    """
    settings = settings_from_text(study.user_attrs[SETTINGS], study.study_name, **local)
    expected = identity_of(study).space_hash
    if settings.space.hash != expected:
        raise InputError(
            f"study {study.study_name!r} searches a space with hash {expected}, which is "
            f"{settings.space.hash} here; install the version of nas-sr that made it"
        )
    return settings


def places(study: Study) -> dict[str, str | None]:
    """Where the run and the photos lie on the machine that made the study."""
    where = f"study {study.study_name!r}: {_PLACES}"
    there = from_plain(dict[str, str | None], study.user_attrs[_PLACES], where)
    return {name: there.get(name) for name in ("run", *PHOTO_FOLDERS, "device")}


def check_photos(study: Study, fingerprint: str) -> None:
    """Makes sure that a worker trains on the study's photos.

    Raises:
        InputError: these are others.
    """
    identity = identity_of(study)
    if identity.data_fingerprint != fingerprint:
        raise InputError(
            f"study {study.study_name!r} trains on data {identity.data} with fingerprint "
            f"{identity.data_fingerprint}, these photos have {fingerprint}; give the same "
            f"photos with --data, --lr, --val and --val-lr"
        )


def check_device(study: Study) -> None:
    """Makes sure that latencies, where they count, are all measured on one kind of machine.

    Raises:
        InputError: this is another one.
    """
    there, here = places(study)["device"], environment().device
    if identity_of(study).latency_threads is not None and there != here:
        raise InputError(
            f"study {study.study_name!r} weighs latency on {there}, this is {here}; latencies "
            f"of the two cannot be compared: work on machines of one kind"
        )


def check_marked(study: Study, place: Path | str) -> None:
    """Makes sure that a place for checkpoints is the one that the study's other workers use.

    Raises:
        InputError: it is another one.
    """
    found = RemoteFiles(place).marked()
    if found != study.user_attrs[_ID]:
        state = "is not there" if found is None else "belongs to another study"
        raise InputError(
            f"checkpoints {place}: the mark of study {study.study_name!r} {state}; expected the "
            f"folder or URL that all its workers share: mount it here, or name it with "
            f"--checkpoints"
        )
