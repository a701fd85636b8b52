"""Interruptions wherever they may land: nobody hangs, and nobody waits with a lock in hand."""

from __future__ import annotations

import queue
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy

import nas
from benchmarks.kill_workers import workers_of
from nas.explore.events import Event, TrialEnded
from nas.records import INTERRUPTED, RUNNING
from nas.store.leases import Lease, NoTurn, take_lease
from nas.store.leases.waiting import Waiting
from nas.store.shutdown import end_transaction
from tests.nas_tests.conftest import TINY
from tests.nas_tests.explore_tests.made_up import MadeUp, kept
from tests.preloaded import NAS

SAID = "nas: interrupted; the same command goes on where it stopped\n"
# A machine that is busy with other things may stand still for long.
HANGS_S = 100.0


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str | None:
    """The URL of a store; ``None``: the one in the run folder."""
    if request.param == "embedded":
        return None
    url: str = request.getfixturevalue("database")
    return url


both_stores = pytest.mark.parametrize("store", ["embedded", "postgresql"], indirect=True)


class Pair:
    """Two processes with searches that share a study, and the lines that they have said."""

    def __init__(self, folder: Path, url: str | None, environ: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.nas_tests.workers_tests.interrupted", str(folder)]
        command += [url] if url is not None else []
        root = str(Path(__file__).parents[3])
        self.said: list[queue.SimpleQueue[str]] = []
        self.both: list[subprocess.Popen[str]] = []
        self.readers: list[threading.Thread] = []
        for _ in range(2):
            one = subprocess.Popen(
                command,
                env={**environ, "PYTHONPATH": root},
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            said: queue.SimpleQueue[str] = queue.SimpleQueue()
            reader = threading.Thread(target=self._read, args=(one, said), daemon=True)
            reader.start()
            self.readers.append(reader)
            self.both.append(one)
            self.said.append(said)

    @staticmethod
    def _read(one: subprocess.Popen[str], said: queue.SimpleQueue[str]) -> None:
        assert one.stdout is not None
        with one.stdout:
            for line in one.stdout:
                said.put(line.strip())

    def wait_for(self, line: str, seconds: float) -> bool:
        """Whether both said so in time."""
        end = time.monotonic() + seconds
        for said in self.said:
            try:
                while said.get(timeout=max(0.0, end - time.monotonic())) != line:
                    pass
            except queue.Empty:
                return False
        return True

    def close(self) -> None:
        for one in self.both:
            assert one.stdin is not None
            one.stdin.close()
            one.kill()
            one.wait()
        for reader in self.readers:
            reader.join()


@both_stores
def test_at_random_moments(store: str | None, environ: dict[str, str], tmp_path: Path) -> None:
    draw, hangs, count = random.Random(0), 0, 8 if store is None else 4
    pair = Pair(tmp_path / "run", store, environ)
    try:
        for k in range(count):
            assert pair.wait_for("at work", 120), "not at work"
            time.sleep(draw.uniform(0.0, 0.05))
            for one in pair.both:
                one.send_signal((signal.SIGINT, signal.SIGTERM)[k % 2])
            hangs += not pair.wait_for("left", HANGS_S)
            assert not hangs, f"hangs at interruption {k}"
    finally:
        pair.close()


@contextmanager
def interrupted_at(k: int, event: str) -> Iterator[list[int]]:
    """Ctrl-C at the k-th such event of any database engine."""
    seen: list[int] = []

    def interrupt(*_: Any) -> None:
        seen.append(len(seen) + 1)
        if len(seen) == k:
            signal.raise_signal(signal.SIGINT)

    sqlalchemy.event.listen(sqlalchemy.Engine, event, interrupt)
    try:
        yield seen
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, event, interrupt)


@pytest.mark.parametrize("k", [1, 5, 20, 30, 40, 45, 50, 55])
def test_within_a_transaction(k: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, free = tmp_path / "study.db", list[bool]()

    def look(self: Waiting) -> None:
        # What another worker, which has its turn now, would have to wait for.
        if file.exists():
            with closing(sqlite3.connect(file, timeout=0)) as database:
                database.execute("BEGIN EXCLUSIVE")
                database.rollback()
        free.append(True)

    with monkeypatch.context() as patch, interrupted_at(k, "commit") as commits:
        patch.setattr(Waiting, "look", look)
        with pytest.raises(KeyboardInterrupt):
            kept(tmp_path, 1000)
    assert len(commits) >= k
    assert free
    assert not [r for r in nas.open_run(tmp_path).records() if r.state == RUNNING]


def test_one_that_breaks_out_of_a_transaction_leaves_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wish that is insisted upon does so, or a library's own interruption."""
    real, calls = sqlalchemy.orm.Session.commit, list[int]()

    def commit(self: sqlalchemy.orm.Session) -> None:
        calls.append(1)
        if len(calls) == 50:
            self.flush()
            # As where an interruption falls between the end of a block and its own clean-up.
            monkeypatch.setattr(sqlalchemy.orm.Session, "close", lambda self: None)
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(sqlalchemy.orm.Session, "commit", commit)

    def end(study: Any) -> None:
        monkeypatch.undo()
        end_transaction(study)
        with closing(sqlite3.connect(tmp_path / "study.db", timeout=0)) as database:
            database.execute("BEGIN EXCLUSIVE")
            database.rollback()

    monkeypatch.setattr("nas.explore.worker.end_transaction", end)
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, 1000)
    assert not [r for r in nas.open_run(tmp_path).records() if r.state == RUNNING]


class Held:
    """Another worker, which takes the turn when the first trial has ended, and keeps it."""

    def __init__(self, other: Lease, then: Callable[[], None]) -> None:
        self.other, self.then = other, then
        self.turn: Any = None

    def append(self, event: Event) -> None:
        if isinstance(event, TrialEnded) and self.turn is None:
            self.turn = self.other.turn(5.0)
            self.turn.__enter__()
            self.then()

    def release(self) -> None:
        self.turn.__exit__(None, None, None)
        self.other.release()


@both_stores
def test_a_turn_that_does_not_come_is_not_waited_for(
    store: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.explore.worker.LEAVE_S", 0.3)
    other = take_lease(store, "run", tmp_path / "run")
    held = Held(other, lambda: signal.raise_signal(signal.SIGINT))
    events: Any = held
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "run", 1000, events=events, storage=store, study="run")
    assert time.monotonic() - began < 30
    held.release()
    # What it had in work, if anything, the next start finds.
    run = kept(tmp_path / "run", 3, storage=store, study="run")
    assert not [r for r in run.records() if r.state == RUNNING]


@both_stores
def test_no_turn(store: str | None, tmp_path: Path) -> None:
    mine, other = (take_lease(store, "run", tmp_path) for _ in range(2))
    with other.turn(), pytest.raises(NoTurn, match="no turn within"), mine.turn(0.2):
        pytest.fail("both have it")
    with mine.turn(0.2):
        pass
    for lease in (mine, other):
        lease.release()


def test_what_is_trained_is_left_to_others(tmp_path: Path) -> None:
    class Interrupted(MadeUp):
        def advance(self, *args: Any, **more: Any) -> Any:
            if len(self.advanced) == 3:
                signal.raise_signal(signal.SIGTERM)
            return super().advance(*args, **more)

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, 5, Interrupted())
    records = nas.open_run(tmp_path).records()
    # The job was done, and the next one not begun; its rung is kept.
    assert not [r for r in records if r.state == RUNNING]
    assert sum(len(r.rungs) for r in records) >= 4
    assert (tmp_path / "trials.csv").exists()
    run = kept(tmp_path, 5)
    finished = {r.architecture_hash for r in run.records() if r.rungs}
    assert {r.architecture_hash for r in records if r.state == INTERRUPTED} - {""} <= finished


@pytest.mark.parametrize("workers", [1, 2])
def test_the_second_ends_it_whatever_it_waits_for(
    workers: int, environ: dict[str, str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    options = ("--latency-size", "8x8", "--json", "--workers", str(workers), "--trials", "1000")
    search = subprocess.Popen(
        [*NAS, "search", *TINY, *options, "--run", str(run)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert search.stdout is not None
        while '"TrialEnded"' not in (line := search.stdout.readline()):
            assert line, search.communicate()[1]
        with closing(sqlite3.connect(run / "study.db", timeout=60)) as database:
            # Somebody's transaction that does not end: the library waits for a minute.
            database.execute("BEGIN EXCLUSIVE")
            pids = workers_of(search.pid)
            search.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                search.wait(1.5)
            assert search.poll() is None
            search.send_signal(signal.SIGINT)
            _, errors = search.communicate(timeout=30)
            database.rollback()
        assert (search.returncode, errors) == (130, SAID)
        psutil.wait_procs([psutil.Process(p) for p in pids if psutil.pid_exists(p)], timeout=30)
        assert not any(map(psutil.pid_exists, pids))
    finally:
        search.kill()
        search.communicate()
