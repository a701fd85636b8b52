"""The Optuna study of a search: opened or made, checked, and read as records."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import optuna
from optuna import Study
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from nas.objectives import OBJECTIVES
from nas.records import OVER_BUDGET
from nas.store.database import (
    IN_MEMORY,
    connect_options,
    database_file,
    parse_url,
    read_only_url,
    shown,
    storage_class,
)
from nas.store.errors import damaged_rows, reading
from nas.store.ledger import STATE, WORKER
from nas.store.retries import opened
from search_spaces.errors import InputError, StoreError

__all__ = [
    "IDENTITY",
    "add_ended",
    "begin",
    "claim",
    "fail",
    "load",
    "open_storage",
    "open_study",
    "open_to_read",
    "quietly",
    "recover_interrupted",
    "reject_over_budget",
    "stop",
]

IDENTITY = "nas_identity"
"""The study's attribute that says which trials belong into it."""


def open_storage(url: str, *, patient: bool = False, existing: bool = False) -> BaseStorage:
    """The store at a URL.

    A ``sqlite:///`` file waits a minute for other processes; a server that was reached once is
    waited for some minutes.

    Args:
        url: of the store.
        patient: whether to wait for a server from the first moment on.
        existing: whether it has to be there, with Optuna's tables in it.

    Raises:
        InputError: no such kind of store, or it cannot be opened (passwords not shown).
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url == IN_MEMORY:
        return optuna.storages.InMemoryStorage()
    if existing:
        _check_there(url)
    kind = storage_class(url)
    full = parse_url(url).render_as_string(hide_password=False)
    options = connect_options(url)
    return opened(
        lambda: kind(full, engine_kwargs=options, skip_table_creation=existing),
        url,
        patient=patient,
    )


def _check_there(url: str) -> None:
    file = database_file(url)
    if file is not None and not (file.is_file() and file.stat().st_size):
        state = "is empty" if file.is_file() else "is not there"
        raise StoreError(f"{file} {state}; expected the study that nas search keeps")


def open_to_read(url: str) -> BaseStorage:
    """The store at a URL, nothing of which can be changed; none is made.

    Raises:
        InputError: no such store, not one of Optuna's, or it cannot be read.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url == IN_MEMORY:
        raise StoreError("storage memory: that study ended with its process; search again")
    _check_there(url)
    kind = storage_class(url)
    with reading(shown(url)):
        return opened(
            lambda: kind(
                read_only_url(url),
                engine_kwargs=connect_options(url, read_only=True),
                skip_table_creation=True,
                skip_compatibility_check=True,
            ),
            url,
        )


def load(storage: BaseStorage, name: str) -> Study | None:
    """The study of that name, if there is one."""
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        return None


def open_study(
    storage: BaseStorage,
    name: str,
    objectives: Sequence[str],
    identity: Mapping[str, Any],
    populate: Callable[[Study], None],
) -> Study:
    """The study of that name, made and populated where there is none.

    Raises:
        InputError: the study there was made with other settings; the first one that
            differs is named.
    """
    with damaged_rows(f"study {name!r}"):
        there = load(storage, name)
        found = there.user_attrs.get(IDENTITY) if there is not None else None
    if there is None:
        study = optuna.create_study(
            storage=storage, study_name=name, directions=_directions(objectives)
        )
        study.set_metric_names(list(objectives))
        populate(study)
        # Last, so that a study without it is known to be half-made.
        study.set_user_attr(IDENTITY, dict(identity))
        return study
    if not isinstance(found, dict):
        with damaged_rows(f"study {name!r}"):
            states = {trial.state.name for trial in there.get_trials(deepcopy=False)}
        if found is None and states <= {"WAITING"}:
            optuna.delete_study(study_name=name, storage=storage)
            return open_study(storage, name, objectives, identity, populate)
        raise InputError(f"study {name!r} was not made by nas search; choose another --run folder")
    for key, value in identity.items():
        if found.get(key) != value:
            raise InputError(
                f"study {name!r} was made with {_difference(key, found.get(key), value)}; "
                f"go on with the same settings, or choose another --run folder"
            )
    with damaged_rows(f"study {name!r}"):
        if there.directions != _directions(objectives):
            raise ValueError(f"it has other directions than its objectives {', '.join(objectives)}")
    return there


def _directions(objectives: Sequence[str]) -> list[StudyDirection]:
    down, up = StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE
    return [up if OBJECTIVES[name].maximize else down for name in objectives]


def begin(study: Study, like: FrozenTrial, worker: str, attrs: Mapping[str, Any]) -> Trial:
    """Adds a running trial that a worker looks after, with all that is known, in one write.

    The parameters of ``like``, or those it was queued with, and its constraints are taken over.
    """
    _add(study, like, TrialState.RUNNING, {**attrs, WORKER: worker})
    # A worker has one trial at a time.
    trials = reversed(study.get_trials(deepcopy=False))
    added = next(t for t in trials if not t.state.is_finished() and _worker(t) == worker)
    return Trial(study, added._trial_id)


def add_ended(study: Study, like: FrozenTrial, attrs: Mapping[str, Any], state: str = "") -> None:
    """Adds a proposal that is not trained: for ``state``, or as over budget where that is ""."""
    if state:
        _add(study, like, TrialState.FAIL, {**attrs, STATE: state})
    else:
        # Optuna's samplers learn from the constraints of pruned trials, not of failed ones.
        _add(study, like, TrialState.PRUNED, attrs)


def _add(study: Study, like: FrozenTrial, state: TrialState, attrs: Mapping[str, Any]) -> None:
    study.add_trial(
        create_trial(
            state=state,
            params=like.params,
            distributions=like.distributions,
            user_attrs=dict(attrs),
            system_attrs=like.system_attrs,
        )
    )


def fail(study: Study, trial: Trial, state: str, reason: str) -> None:
    """Ends a trial as ``FAILED`` or ``REJECTED``, for a reason of one line."""
    trial.set_user_attr("reason", reason)
    trial.set_user_attr(STATE, state)
    study.tell(trial, state=TrialState.FAIL)


def stop(study: Study, trial: Trial) -> None:
    """Ends a trial at a rung; another one may go on with its network."""
    study.tell(trial, state=TrialState.PRUNED)


def reject_over_budget(study: Study, trial: Trial) -> None:
    """Ends a trial as over budget; its constraints say by how much.

    Optuna's samplers learn from the constraints of pruned trials and pass failed ones by.
    """
    trial.set_user_attr("reason", OVER_BUDGET)
    study.tell(trial, state=TrialState.PRUNED)


def claim(trial: Trial, worker: str) -> None:
    """Notes which worker looks after a trial."""
    trial.set_user_attr(WORKER, worker)


def recover_interrupted(
    study: Study, alive: Callable[[str], bool], running: Sequence[FrozenTrial] | None = None
) -> int:
    """Ends the running trials of dead workers; their networks are the next to be trained.

    ``running`` are the running trials, where they were read just now. Returns how many there were.
    """
    if running is None:
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    # A worker's name is "" where it died between being given a queued trial and claiming it.
    dead = [trial for trial in running if not alive(_worker(trial))]
    for trial in dead:
        # One taken for dead may be ending its trial at this moment.
        with suppress(UpdateFinishedTrialError):
            study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    return len(dead)


def _worker(trial: FrozenTrial) -> str:
    return str(trial.user_attrs.get(WORKER, ""))


def _difference(key: str, found: Any, given: Any) -> str:
    if isinstance(found, dict) and isinstance(given, dict):
        for name in sorted(found.keys() | given.keys()):
            if found.get(name) != given.get(name):
                return f"{key} {name} {found.get(name)}, not {given.get(name)}"
    return f"{key.replace('_', ' ')} {found}, not {given}"


def quietly() -> None:
    """Keeps Optuna's notes on experimental features from the user's screen."""
    warnings.simplefilter("ignore", ExperimentalWarning)
