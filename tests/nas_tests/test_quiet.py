from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from nas import locks, quiet

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


class TestFolder:
    """Everybody may write where temporary files lie."""

    @pytest.fixture(autouse=True)
    def second(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(quiet, "_said", {})
        return quiet.second_folder()

    def used(self) -> Path | None:
        with quiet.measuring():
            pass
        lock = quiet._lock()
        return None if lock is None else lock.folder

    def test_own(self, own_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert self.used() == own_folder
        assert own_folder.stat().st_mode & 0o777 == 0o700
        assert capfd.readouterr() == ("", "")

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
    def test_of_another_user(
        self, own_folder: Path, second: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        own_folder.mkdir(mode=0o777)
        os.chown(own_folder, 12345, 12345)
        assert self.used() == second
        assert not list(own_folder.iterdir())
        assert capfd.readouterr() == ("", "")

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
    def test_a_file_of_another_user(self, own_folder: Path, second: Path) -> None:
        own_folder.mkdir(mode=0o700)
        (own_folder / "room").touch()
        os.chown(own_folder / "room", 12345, 12345)
        assert self.used() == second

    def test_open_to_all(self, own_folder: Path, second: Path) -> None:
        own_folder.mkdir()
        own_folder.chmod(0o777)
        assert self.used() == second

    def test_links(self, own_folder: Path, second: Path, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        own_folder.symlink_to(tmp_path / "elsewhere")
        assert self.used() == second
        assert not list((tmp_path / "elsewhere").iterdir())

    def test_a_file_by_a_link(self, own_folder: Path, second: Path, tmp_path: Path) -> None:
        own_folder.mkdir(mode=0o700)
        (own_folder / "gate").symlink_to(tmp_path / "made")
        assert self.used() == second
        assert not (tmp_path / "made").exists()

    def test_none_at_all(
        self, own_folder: Path, second: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        own_folder.write_text("in the way")
        second.parent.parent.write_text("in the way")
        for _ in range(3):
            assert self.used() is None
            with quiet.training_step():
                pass
        vars(quiet._held).pop("lock")
        assert self.used() is None
        assert capfd.readouterr().err == (
            "nas: no other run of yours is waited for while latency is measured "
            f"({own_folder}: File exists; {second}: Not a directory)\n"
        )


def test_who_waits_says_for_what(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quiet, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(quiet, "_said", {})
    holding = SPAWN.Event()
    holder = SPAWN.Process(target=_hold, args=(own_folder, holding))
    holder.start()
    try:
        assert holding.wait(PATIENCE_S)
        ending = threading.Timer(0.5, holder.kill)
        ending.start()
        with quiet.training_step():
            pass
    finally:
        holder.kill()
        holder.join(PATIENCE_S)
    assert capfd.readouterr().err == (
        f"nas: waits for another process of yours that measures latency (lock in {own_folder})\n"
    )
    # A short wait is not worth a word, and the same word not another one.
    with quiet.measuring(), quiet.training_step():
        pass
    assert capfd.readouterr().err == ""


def test_where_the_system_has_no_locks_that_is_said_once(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "fcntl", None)
    monkeypatch.setattr(quiet, "_said", {})
    for _ in range(2):
        with quiet.measuring(), quiet.training_step():
            pass
    assert capfd.readouterr().err == (
        "nas: no other run of yours is waited for while latency is measured "
        "(no file locks on this system)\n"
    )
    assert not own_folder.exists()
