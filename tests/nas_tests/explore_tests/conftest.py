"""Every test of the search runs on one thread, with times that are made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import nas
from nas.latency.clock import Laps
from nas.run import Run
from tests.nas_tests.conftest import on_one_thread
from tests.nas_tests.explore_tests.small import SMALL


@pytest.fixture(autouse=True)
def _single(one_thread: None) -> None:
    return None


@pytest.fixture(autouse=True)
def _made_up_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is timed: what is made of latencies is tested here, not the clock."""

    def told(entrants: Mapping[str, object], **_: object) -> dict[str, Laps]:
        times_ms = (5.0, 5.0, 5.0)
        return dict.fromkeys(entrants, Laps(times_ms, times_ms))

    monkeypatch.setattr("nas.latency.network_time.time_until_settled", told)


@pytest.fixture(scope="session")
def whole(own_lock: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small search for three networks that nothing happens to; read only."""
    with on_one_thread():
        return nas.search(trials=3, run=tmp_path_factory.mktemp("small") / "whole", **SMALL)
