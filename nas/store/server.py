"""Optuna's store on a database server that may be away for a while."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.trial import TrialState

from nas.store.retries import retry

__all__ = ["RetryingStorage"]


class RetryingStorage(RDBStorage):
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
                return super(RetryingStorage, self).set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                # Carried out before the connection broke?
                trial = self.get_trial(trial_id)
                told = list(values) if values is not None else None
                if tries > 1 and trial.state is state and trial.values == told:
                    return True
                raise

        return retry(once)


def _retried(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def retried(self: RetryingStorage, *args: Any, **more: Any) -> Any:
        return retry(lambda: method(self, *args, **more))

    return retried


# What Optuna's cache calls beyond what every store must have; a test compares.
_BY_THE_CACHE = {
    "_create_new_trial",
    "_get_best_trial_id",
    "_get_trials",
    "_set_trial_param",
    "get_trial_id_from_study_id_trial_number",
}

# All of them bear repetition: the worst is a trial without an owner, which is taken for
# interrupted, or a network that is queued twice, which is rejected as a duplicate.
for _name in (BaseStorage.__abstractmethods__ | _BY_THE_CACHE) - vars(RetryingStorage).keys():
    setattr(RetryingStorage, _name, _retried(getattr(RDBStorage, _name)))
