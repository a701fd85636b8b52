"""Optuna's store on a database server that may be away for a while."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._rdb.models import TrialModel
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.orm import Session

from nas.store.retries import retry

__all__ = ["RetryingStorage"]

# So many trials the workers may make while one of them tries again.
_LATEST = 200


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

    def _get_prepared_new_trial(
        self, study_id: int, template_trial: FrozenTrial | None, session: Session
    ) -> TrialModel:
        """A new trial; the one that was made of the same template, where there is one.

        So a trial is made once, though the connection broke after it was written, whoever tries
        again: Optuna does so, too. A second one would be taken up, and its network trained twice.
        """
        if template_trial is not None and template_trial.datetime_start is not None:
            trials = session.query(TrialModel).filter_by(study_id=study_id)
            for made in trials.order_by(TrialModel.trial_id.desc()).limit(_LATEST):
                # A template has its moment, in microseconds, and its worker.
                if made.datetime_start == template_trial.datetime_start:
                    found = self._build_frozen_trial_from_trial_model(made)
                    if found.user_attrs == template_trial.user_attrs:
                        return made
        return super()._get_prepared_new_trial(study_id, template_trial, session)

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
# interrupted, or a network that is queued twice, which is rejected as a duplicate. Trials that
# begin or end as they are made are made once (see above).
for _name in (BaseStorage.__abstractmethods__ | _BY_THE_CACHE) - vars(RetryingStorage).keys():
    setattr(RetryingStorage, _name, _retried(getattr(RDBStorage, _name)))
