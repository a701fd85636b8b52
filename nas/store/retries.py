"""A store that may be away for a while: what fails for that reason is tried again."""

from __future__ import annotations

import functools
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from nas.stopping import current_wish
from nas.store.database import unreachable
from nas.store.leaving import LEAVE_S
from search_spaces.errors import InputError

__all__ = ["PATIENCE_S", "PatientStorage", "opened", "patiently"]

T = TypeVar("T")

PATIENCE_S = 300.0
"""How long a database that was reached once is waited for, seconds."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_inside = threading.local()


def patiently(work: Callable[[], T], patience_s: float | None = None) -> T:
    """What ``work()`` returns; while the database is away, it is called again and again.

    It may have been carried out although its connection broke, so it must bear repetition.

    Raises:
        KeyboardInterrupt: somebody wishes to stop, while waiting.
        SQLAlchemyError, StorageInternalError: as ``work`` does, after ``patience_s``
            (``PATIENCE_S`` by default) or at once where waiting would not help.
    """
    if getattr(_inside, "waiting", False):
        return work()
    wish, pause_s = current_wish(), _FIRST_PAUSE_S
    patience_s = PATIENCE_S if patience_s is None else patience_s
    if wish.leaving:
        patience_s = min(patience_s, LEAVE_S)
    end = time.monotonic() + patience_s
    while True:
        _inside.waiting = True
        try:
            return work()
        except (DBAPIError, StorageInternalError) as error:
            if not _is_away(error) or time.monotonic() > end:
                raise
        finally:
            _inside.waiting = False
        # Not all of them at the same moment, when it is back.
        wish.sleep(pause_s * random.uniform(0.5, 1.0))
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _made_once(make: Callable[[], T]) -> T:
    """What ``make()`` returns, where others may be making the same tables at the same moment.

    Databases check whether a table exists and make it in two steps.
    """
    for _ in range(5):
        try:
            return make()
        except (DBAPIError, StorageInternalError) as error:
            if "exist" not in str(error) and not isinstance(error, IntegrityError):
                raise
        current_wish().sleep(random.uniform(0.05, 0.5))
    return make()


def opened(make: Callable[[], T], url: str, *, patient: bool = False) -> T:
    """What ``make()`` returns, which opens a store and makes its tables.

    Raises:
        InputError: it cannot be opened; at once, unless ``patient``.
    """
    try:
        return patiently(lambda: _made_once(make)) if patient else _made_once(make)
    except InputError:
        raise
    except Exception as error:  # drivers bring exceptions of their own
        raise unreachable(url, error) from None


class PatientStorage(RDBStorage):
    """Optuna's store on a database server, which waits while the server is away.

    Its connections end with it.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        try:
            super().__init__(*args, **more)
        except BaseException:
            self.__del__()
            raise

    def __del__(self) -> None:
        engine = getattr(self, "engine", None)
        if engine is not None and not sys.is_finalizing():
            engine.dispose()

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Any = None) -> bool:
        tries = 0

        def once() -> bool:
            nonlocal tries
            tries += 1
            try:
                return super(PatientStorage, self).set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                # Carried out before the connection broke?
                trial = self.get_trial(trial_id)
                told = list(values) if values is not None else None
                if tries > 1 and trial.state is state and trial.values == told:
                    return True
                raise

        return patiently(once)


def _is_away(error: DBAPIError | StorageInternalError) -> bool:
    cause = error if isinstance(error, DBAPIError) else error.__cause__
    return isinstance(cause, DBAPIError) and (
        cause.connection_invalidated or isinstance(cause, OperationalError | InterfaceError)
    )


def _patient(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def patient(self: PatientStorage, *args: Any, **more: Any) -> Any:
        return patiently(lambda: method(self, *args, **more))

    return patient


# What Optuna's cache calls, and what it is called for. All of them bear repetition: the worst
# is a trial without an owner, which is taken for interrupted, or a network that is queued
# twice, which is rejected as a duplicate.
for _name in (
    "create_new_study",
    "delete_study",
    "set_study_user_attr",
    "set_study_system_attr",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "get_all_studies",
    "create_new_trial",
    "_create_new_trial",
    "set_trial_param",
    "_set_trial_param",
    "get_trial_id_from_study_id_trial_number",
    "set_trial_intermediate_value",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "get_trial",
    "get_all_trials",
    "_get_trials",
    "_get_best_trial_id",
):
    setattr(PatientStorage, _name, _patient(getattr(RDBStorage, _name)))
