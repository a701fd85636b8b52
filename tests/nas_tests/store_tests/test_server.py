"""The patient store: what of Optuna's it stands on, and that it waits where a plain one fails."""

from __future__ import annotations

import inspect
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage, _CachedStorage
from optuna.trial import TrialState, create_trial
from sqlalchemy import event

from nas.store.server import RetryingStorage
from nas.store.study import open_storage

# A heartbeat of ours takes the place of Optuna's.
UNUSED = {
    "_get_stale_trial_ids",
    "get_heartbeat_interval",
    "get_heartbeat_stale_trial_callback",
    "record_heartbeat",
}


def test_all_that_optunas_cache_calls_is_patient() -> None:
    called = set(re.findall(r"self\._backend\.(\w+)\(", inspect.getsource(_CachedStorage)))
    assert len(called) > 15
    assert called - UNUSED <= vars(RetryingStorage).keys()


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("_create_new_trial", "self study_id template_trial"),
        ("_get_prepared_new_trial", "self study_id template_trial session"),
        ("_get_best_trial_id", "self study_id direction"),
        ("_get_trials", "self study_id states included_trial_ids trial_id_greater_than"),
        (
            "_set_trial_param",
            "self trial_id param_name param_value_internal distribution previous_distribution",
        ),
        ("set_trial_state_values", "self trial_id state values"),
    ],
)
def test_what_is_wrapped_takes_what_it_took(name: str, takes: str) -> None:
    for kind in (RDBStorage, RetryingStorage):
        assert list(inspect.signature(getattr(kind, name)).parameters) == takes.split()


class Away:
    """Lets the next statement fail as if the server had gone."""

    def __init__(self, storage: RDBStorage) -> None:
        self.left = 0
        event.listen(storage.engine, "before_cursor_execute", self)

    def __call__(self, *statement: Any) -> None:
        if self.left:
            self.left -= 1
            raise sqlite3.OperationalError("gone")


def test_it_waits_where_a_plain_one_fails(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    patient, plain = RetryingStorage(url), RDBStorage(url)
    study = optuna.create_study(storage=patient, study_name="study")
    away = Away(patient)
    for write in (
        lambda: study.add_trial(create_trial(state=TrialState.RUNNING)),
        lambda: study.set_user_attr("a", 1),
        lambda: study.tell(0, 2.0),
    ):
        away.left = 1
        write()
        assert away.left == 0
    assert [(one.state.name, one.value) for one in study.trials] == [("COMPLETE", 2.0)]
    assert study.user_attrs == {"a": 1}
    Away(plain).left = 1
    with pytest.raises(optuna.exceptions.StorageInternalError):
        optuna.load_study(storage=plain, study_name="study").set_user_attr("a", 2)
    plain.engine.dispose()


def test_a_trial_is_made_once_though_the_connection_broke_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    storage = RetryingStorage(url)
    study = optuna.create_study(storage=storage, study_name="study")
    broken = 0

    def gone(connection: Any, commit: Any = storage.engine.dialect.do_commit) -> None:
        nonlocal broken
        commit(connection)
        if broken:
            broken -= 1
            raise sqlite3.OperationalError("gone")

    monkeypatch.setattr(storage.engine.dialect, "do_commit", gone)
    monkeypatch.setattr("optuna.storages._rdb.storage.time.sleep", lambda seconds: None)
    for k, state in enumerate((TrialState.RUNNING, TrialState.FAIL, TrialState.PRUNED)):
        broken = 2
        study.add_trial(create_trial(state=state, user_attrs={"k": k}))
        assert broken == 0
    assert [(one.number, one.user_attrs) for one in study.trials] == [
        (k, {"k": k}) for k in range(3)
    ]
    # Another worker's at that very moment is another one.
    moment = study.trials[0].datetime_start
    other = create_trial(state=TrialState.RUNNING, user_attrs={"k": 9})
    other.datetime_start = moment
    study.add_trial(other)
    assert [one.user_attrs["k"] for one in study.trials] == [0, 1, 2, 9]


def test_a_file_is_opened_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nas.store.server", None)
    storage: Any = open_storage(f"sqlite:///{tmp_path / 'study.db'}")
    assert type(storage) is RDBStorage
