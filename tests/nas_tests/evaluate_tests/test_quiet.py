from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from nas.evaluate import quiet

pytest.importorskip("fcntl")
SPAWN = multiprocessing.get_context("spawn")
PATIENCE_S = 30


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "lock"
    monkeypatch.setattr(quiet, "lock_folder", lambda: folder)
    monkeypatch.delattr(quiet._held, "lock", raising=False)
    yield folder
    vars(quiet._held).pop("lock", None)


def _train(folder: Path, running: Event, stop: Event, steps: Any) -> None:
    quiet.lock_folder = lambda: folder
    while not stop.is_set():
        with quiet.training_step():
            steps.value += 1
            running.set()
            time.sleep(0.005)


def _hold(folder: Path, holding: Event) -> None:
    quiet.lock_folder = lambda: folder
    with quiet.measuring():
        holding.set()
        time.sleep(PATIENCE_S)


def test_measuring_gets_in_between_steps_and_nobody_steps_meanwhile(own_folder: Path) -> None:
    stop, counts, running = SPAWN.Event(), [], []
    workers = []
    for _ in range(2):
        counts.append(SPAWN.Value("i", 0))
        running.append(SPAWN.Event())
        arguments = (own_folder, running[-1], stop, counts[-1])
        workers.append(SPAWN.Process(target=_train, args=arguments))
        workers[-1].start()
    try:
        assert all(event.wait(PATIENCE_S) for event in running)
        with quiet.measuring(), quiet.measuring():
            before = [count.value for count in counts]
            time.sleep(0.1)
            assert [count.value for count in counts] == before
        deadline = time.monotonic() + PATIENCE_S
        while any(count.value == old for count, old in zip(counts, before, strict=True)):
            assert time.monotonic() < deadline, "training did not go on after the measurement"
            time.sleep(0.01)
    finally:
        stop.set()
        for worker in workers:
            worker.join(PATIENCE_S)
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_a_killed_measurement_lets_go(own_folder: Path) -> None:
    holding = SPAWN.Event()
    holder = SPAWN.Process(target=_hold, args=(own_folder, holding))
    holder.start()
    assert holding.wait(PATIENCE_S)
    holder.kill()
    began = time.monotonic()
    with quiet.training_step():
        waited = time.monotonic() - began
    holder.join(PATIENCE_S)
    assert waited < PATIENCE_S / 2


def test_a_step_is_nearly_free() -> None:
    began = time.perf_counter()
    for _ in range(1000):
        with quiet.training_step():
            pass
    assert time.perf_counter() - began < 1.0


def test_without_flock_there_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "fcntl", None)
    with quiet.measuring(), quiet.training_step():
        pass
