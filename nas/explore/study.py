"""The Optuna study of a search: opened or made, checked, and read as records."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nas.explore.database import IN_MEMORY, connect_options, is_server, parse_url
from nas.objectives import OBJECTIVES
from nas.records import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    OVER_BUDGET,
    REJECTED,
    RUNNING,
    TrialRecord,
)
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial, Trial

__all__ = [
    "IDENTITY",
    "IN_MEMORY",
    "claim",
    "fail",
    "open_storage",
    "open_study",
    "proposals",
    "quietly",
    "read_records",
    "recover_interrupted",
    "reject_over_budget",
    "requeue",
    "storage_errors",
]

IDENTITY = "nas_identity"
"""The study's attribute that says which trials belong into it."""

_STATE = "nas_state"
_WORKER = "nas_worker"
_RETRIED = "nas_retry_of"


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turns a failing store into one clear line.

    Raises:
        InputError: the store cannot be reached, read or written.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (StorageInternalError, SQLAlchemyError) as error:
        cause = error.__cause__ or error
        line = str(getattr(cause, "orig", None) or cause).strip().splitlines()[0]
        raise InputError(
            f"study storage: {line}; what was finished is kept: mend that, then run the same "
            f"command again"
        ) from None


def open_storage(url: str, *, patient: bool = False) -> BaseStorage:
    """The store at a URL.

    A ``sqlite:///`` file waits a minute for other processes; a server that was reached once is
    waited for some minutes.

    Args:
        url: of the store.
        patient: whether to wait for a server from the first moment on.

    Raises:
        InputError: no such kind of store, or it cannot be opened (passwords not shown).
    """
    import optuna

    from nas.explore.patience import PatientStorage, opened

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if url == IN_MEMORY:
        return optuna.storages.InMemoryStorage()
    kind = PatientStorage if is_server(url) else optuna.storages.RDBStorage
    full = parse_url(url).render_as_string(hide_password=False)
    return opened(lambda: kind(full, engine_kwargs=connect_options(url)), url, patient=patient)


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
    import optuna

    names = {summary.study_name for summary in optuna.get_all_study_summaries(storage)}
    if name not in names:
        upward, downward = (
            optuna.study.StudyDirection.MAXIMIZE,
            optuna.study.StudyDirection.MINIMIZE,
        )
        directions = [upward if OBJECTIVES[o].maximize else downward for o in objectives]
        study = optuna.create_study(storage=storage, study_name=name, directions=directions)
        study.set_metric_names(list(objectives))
        populate(study)
        # Last, so that a study without it is known to be half-made.
        study.set_user_attr(IDENTITY, dict(identity))
        return study
    study = optuna.load_study(study_name=name, storage=storage)
    found = study.user_attrs.get(IDENTITY)
    if found is None:
        if len(study.trials) == 0 or all(t.state.name == "WAITING" for t in study.trials):
            optuna.delete_study(study_name=name, storage=storage)
            return open_study(storage, name, objectives, identity, populate)
        raise InputError(f"study {name!r} was not made by nas search; choose another --run folder")
    for key, value in identity.items():
        if found.get(key) != value:
            raise InputError(
                f"study {name!r} was made with {_difference(key, found.get(key), value)}; "
                f"go on with the same settings, or choose another --run folder"
            )
    return study


def read_records(study: Study) -> list[TrialRecord]:
    """A record for each trial that has been started."""
    trials = study.get_trials(deepcopy=False)
    return [_record(trial) for trial in trials if trial.state.name != "WAITING"]


def fail(study: Study, trial: Trial, state: str, reason: str) -> None:
    """Ends a trial as ``FAILED`` or ``REJECTED``, for a reason of one line."""
    from optuna.trial import TrialState

    trial.set_user_attr("reason", reason)
    trial.set_user_attr(_STATE, state)
    study.tell(trial, state=TrialState.FAIL)


def reject_over_budget(study: Study, trial: Trial) -> None:
    """Ends a trial as over budget; its constraints say by how much.

    Optuna's samplers learn from the constraints of pruned trials and pass failed ones by.
    """
    from optuna.trial import TrialState

    trial.set_user_attr("reason", OVER_BUDGET)
    study.tell(trial, state=TrialState.PRUNED)


def claim(trial: Trial, worker: str) -> None:
    """Notes which worker looks after a trial."""
    trial.set_user_attr(_WORKER, worker)


def recover_interrupted(study: Study, alive: Callable[[str], bool]) -> int:
    """Ends the running trials of dead workers and queues their networks again.

    Returns:
        How many there were.
    """
    running = [t for t in study.get_trials(deepcopy=False) if t.state.name == "RUNNING"]
    # A worker's name is "" where it died between being given the trial and claiming it.
    dead = [t for t in running if not alive(t.user_attrs.get(_WORKER, ""))]
    for trial in dead:
        requeue(study, trial)
    return len(dead)


def requeue(study: Study, trial: FrozenTrial) -> None:
    """Ends one interrupted trial and puts its parameters into the queue again.

    One whose parameters were still being chosen is left to the sampler, which chooses
    them again; one that came from the queue goes back there as it was.
    """
    from optuna.trial import TrialState

    queued: dict[str, Any] = trial.system_attrs.get("fixed_params", {})
    if queued or _is_complete(trial):
        attrs = {
            "source": trial.user_attrs.get("source", "sampler"),
            _RETRIED: trial.user_attrs.get(_RETRIED, trial.number),
        }
        study.enqueue_trial({**queued, **trial.params}, user_attrs=attrs)
    study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def proposals(study: Study) -> int:
    """How many networks the sampler has been asked for, the interrupted ones counted once."""
    return sum(
        trial.user_attrs.get("source", "sampler") == "sampler" and _RETRIED not in trial.user_attrs
        for trial in study.get_trials(deepcopy=False)
        if trial.state.name == "RUNNING" or _is_complete(trial)
    )


def _is_complete(trial: FrozenTrial) -> bool:
    """Whether the trial got as far as to have all its parameters, and so a network."""
    return "architecture_hash" in trial.user_attrs and trial.state.name != "WAITING"


def _record(trial: FrozenTrial) -> TrialRecord:
    by_optuna = {"COMPLETE": FINISHED, "PRUNED": REJECTED, "FAIL": FAILED, "RUNNING": RUNNING}
    state = by_optuna[trial.state.name]
    if state == FAILED:
        # Whoever fails a trial says so; one that only stopped was interrupted.
        state = trial.user_attrs.get(_STATE, INTERRUPTED)
    return TrialRecord.from_attrs(trial.number, state, trial.user_attrs)


def _difference(key: str, found: Any, given: Any) -> str:
    if isinstance(found, dict) and isinstance(given, dict):
        for name in sorted(found.keys() | given.keys()):
            if found.get(name) != given.get(name):
                return f"{key} {name} {found.get(name)}, not {given.get(name)}"
    return f"{key.replace('_', ' ')} {found}, not {given}"


def quietly() -> None:
    """Keeps Optuna's notes on experimental features from the user's screen."""
    from optuna.exceptions import ExperimentalWarning

    warnings.simplefilter("ignore", ExperimentalWarning)
