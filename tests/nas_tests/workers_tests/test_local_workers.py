"""Several workers of one machine: killed, stopped, taken for dead."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import psutil
import pytest

import nas
from benchmarks.kill_workers import kill_embedded, kill_postgres, workers_of
from benchmarks.postgres import Server
from nas.explore.events import (
    Event,
    MachineBusy,
    NetworksMeasured,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    WorkerLost,
)
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.records import FINISHED, INTERRUPTED, RUNNING, TrialRecord
from nas.store.study import open_storage
from nas.workers.messages import Failed
from nas.workers.process import Gone
from nas.workers.team import Team
from nas.workers.together import _busy_once as busy_once
from nas.workers.together import _noting as noting
from search_spaces.errors import InputError
from tests.nas_tests.conftest import TINY, Outcome
from tests.nas_tests.explore_tests.small import SMALL
from tests.preloaded import NAS

OPTIONS = ("search", *TINY, "--latency-size", "8x8", "--json", "--workers", "2")

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Start]:
    """Starts a search with two workers; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(run: Path, trials: int) -> subprocess.Popen[str]:
        command = [*NAS, *OPTIONS, "--run", str(run), "--trials", str(trials)]
        child = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(child)
        return child

    yield begin
    for child in started:
        child.kill()
        child.communicate()


def read_until(child: subprocess.Popen[str], event: str, count: int = 1) -> list[str]:
    assert child.stdout is not None
    lines: list[str] = []
    while sum(f'"{event}"' in line for line in lines) < count:
        line = child.stdout.readline()
        assert line, child.communicate()[1]
        lines.append(line)
    return lines


def test_exactly_the_goal_and_nothing_twice(start: Start, tmp_path: Path) -> None:
    run, goal = tmp_path / "run", 4
    child = start(run, goal)
    read_until(child, "TrialEnded")
    victim = workers_of(child.pid)[0]
    os.kill(victim, signal.SIGKILL)
    output, errors = child.communicate(timeout=120)
    assert (child.returncode, errors) == (0, "")
    events = [json.loads(line) for line in output.splitlines()]
    lost = [event for event in events if event["event"] == "WorkerLost"]
    assert [(e["reason"], e["replaced"]) for e in lost] == [
        ("killed by SIGKILL (out of memory?)", True)
    ]
    records = nas.open_run(run).records()
    networks = Counter(r.architecture_hash for r in records if r.state == FINISHED)
    assert sum(networks.values()) == len(networks) == goal
    assert not [r for r in records if r.state == RUNNING]
    assert not (run / "workers").exists()


@pytest.mark.parametrize("how", ["ctrl-c", "the search is killed"])
def test_no_worker_outlives_its_search(how: str, start: Start, tmp_path: Path) -> None:
    run = tmp_path / "run"
    child = start(run, 200)
    read_until(child, "TrialEnded")
    pids = workers_of(child.pid)
    assert len(pids) == 2
    child.send_signal(signal.SIGINT if how == "ctrl-c" else signal.SIGKILL)
    _, errors = child.communicate(timeout=60)
    if how == "ctrl-c":
        assert child.returncode == 130
        assert errors == "nas: interrupted; the same command goes on where it stopped\n"
    end = time.monotonic() + 30
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, pids))
    records = nas.open_run(run).records()
    assert not [r for r in records if r.state == RUNNING]
    # What they had in work is kept for the next start.
    lost = {r.architecture_hash for r in records if r.state == INTERRUPTED} - {""}
    kept = {path.stem for path in (run / "checkpoints").glob("*.pt")}
    assert kept <= lost


def test_killed_at_random_with_the_embedded_store() -> None:
    figures = kill_embedded(4, 2, 2)
    assert (figures["finished"], figures["kills"], figures["faults"]) == (4, 2, [])


@pytest.mark.usefixtures("server")
def test_killed_at_random_over_postgresql_which_restarts() -> None:
    figures = kill_postgres(4, 2, 2)
    assert (figures["finished"], figures["kills"], figures["faults"]) == (4, 2, [])
    assert figures["server_down_s"] > 0


def test_one_taken_for_dead_gives_its_network_up(
    server: Server,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    one_thread: None,
) -> None:
    monkeypatch.setenv("NAS_LEASE_SECONDS", "1")
    buried: list[int] = []
    ended: list[TrialRecord] = []

    def observe(event: Event) -> None:
        if isinstance(event, TrialEnded):
            ended.append(event.record)
        if isinstance(event, TrainingStep) and event.step == 3 and not buried:
            # What another worker does that has heard nothing for too long.
            buried.append(event.number)
            server.execute("UPDATE nas_workers SET dead = true", database.rpartition("/")[2])
            storage = open_storage(database)
            study = optuna.load_study(study_name="run", storage=storage)
            study.tell(event.number, state=optuna.trial.TrialState.FAIL)
            time.sleep(0.5)

    settings = make_settings(
        trials=2, run=tmp_path / "run", storage=database, device="cpu", **SMALL
    )
    run = run_search(settings, observe)
    records = {record.number: record for record in run.records()}
    assert records[buried[0]].state == INTERRUPTED
    assert buried[0] not in {record.number for record in ended}
    finished = [r.architecture_hash for r in records.values() if r.state == FINISHED]
    assert len(finished) == len(set(finished)) == 2
    assert records[buried[0]].architecture_hash in finished


class TestTeam:
    def team(self, told: list[Event]) -> Team:
        return Team(2, told.append)

    def test_the_dead_are_replaced_so_many_times(self) -> None:
        told: list[Event] = []
        team = self.team(told)
        dead = Gone(-9, "killed by SIGKILL")
        for _ in range(8):
            assert team.take(0, dead)
        with pytest.raises(InputError, match=r"workers died one after the other.*--workers"):
            team.take(0, dead)
        losses = [event.replaced for event in told if isinstance(event, WorkerLost)]
        assert losses == [True] * 8 + [False]

    def test_a_network_in_between_starts_the_count_anew(self) -> None:
        team = self.team([])
        for _ in range(20):
            assert team.take(0, Gone(-9, "killed by SIGKILL"))
            team.take(1, TrialEnded(TrialRecord(0, FINISHED), 1, 9, 1, None, 0))

    def test_a_fault_of_the_program_is_not_repeated_for_long(self) -> None:
        team = self.team([])
        assert team.take(0, Gone(1, "ValueError: of ours"))
        assert team.take(0, Gone(1, "ValueError: of ours"))
        with pytest.raises(InputError, match="ValueError: of ours"):
            team.take(0, Gone(1, "ValueError: of ours"))

    def test_what_no_worker_can_mend(self) -> None:
        with pytest.raises(InputError, match="the disk is full"):
            self.team([]).take(1, Failed("the disk is full"))

    def test_what_workers_measure_first_is_not_told(self) -> None:
        told: list[Event] = []
        assert not self.team(told).take(0, NetworksMeasured(1, 10))
        assert told == []

    def test_a_busy_machine_is_told_once_of_all_workers(self) -> None:
        told: list[Event] = []
        tell = busy_once(told.append)
        for event in (MachineBusy(2.0), NetworksMeasured(1, 3), MachineBusy(3.0)):
            tell(event)
        assert told == [MachineBusy(2.0), NetworksMeasured(1, 3)]

    def test_notes_of_the_start_are_told(self) -> None:
        told: list[Event] = []
        begun = SearchStarted("run", 3, 0, "photos", 2, 1, 28.0, "cpu", 10, notes=("theirs",))
        for event in (begun, SearchEnded("goal reached", 3, 3)):
            noting(told.append, ("ours",))(event)
        assert told == [replace(begun, notes=("ours", "theirs")), SearchEnded("goal reached", 3, 3)]

    def test_the_last_word_counts(self) -> None:
        team = self.team([])
        team.take(0, SearchEnded("nothing new", 3, 9))
        team.take(1, SearchEnded("time is up", 4, 9))
        assert team.ended == SearchEnded("time is up", 4, 9)
        assert not team.take(0, Gone(0, ""))
        assert not team.take(1, Gone(0, ""))
        assert not team.at_work


def test_a_crew_of_one_is_no_crew(command: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = command(
        "search", *TINY, "--trials", 1, "--workers", 1, "--run", tmp_path, "--latency-size", "8x8"
    )
    assert outcome.code == 0
    assert not list((tmp_path / "workers").glob("*.log"))
