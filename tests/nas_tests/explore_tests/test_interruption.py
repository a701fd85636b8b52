"""Searches in processes of their own: killed, interrupted, two at once."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import nas
from nas.records import FINISHED, INTERRUPTED, RUNNING
from tests.nas_tests.explore_tests.ended import check_ended, check_files
from tests.preloaded import NAS

Start = Callable[..., "subprocess.Popen[str]"]
_IN_TRAINING = (1, 2)
"""The kills of five at which a network has just begun to train; the others come by chance."""
OPTIONS = ("search", "--space", "tiny", "--profile", "smoke", "--latency-size", "16x16", "--json")


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts a search in a process of its own; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(run: Path, trials: int) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [*NAS, *OPTIONS, "--run", str(run), "--trials", str(trials)],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        return child

    yield begin
    for child in started:
        child.kill()
        child.communicate()


def told_finished(output: str) -> dict[int, str]:
    """The exact PSNR of every trial that the lines say is finished; a cut last line is none."""
    told = {}
    for line in output.splitlines():
        if line.endswith("}"):
            event = json.loads(line)
            if event["event"] == "TrialEnded" and event["record"]["state"] == FINISHED:
                told[event["record"]["number"]] = repr(event["record"]["psnr_y_db"])
    return told


def test_kill_at_any_moment(start: Start, tmp_path: Path) -> None:
    folder, goal, rng = tmp_path / "run", 7, random.Random(0)
    told: dict[int, str] = {}
    for kill in range(5):
        child = start(folder, goal)
        first = ""
        if kill:
            # The search itself is where most is at stake; reading the photos takes longest.
            assert child.stdout is not None
            wanted = "TrialStarted" if kill in _IN_TRAINING else ""
            for line in child.stdout:
                first += line
                if wanted in line:
                    break
        if kill not in _IN_TRAINING:
            time.sleep(rng.uniform(0.0, 0.7) if kill else rng.uniform(0.5, 2.5))
        child.send_signal(signal.SIGKILL)
        output, errors = child.communicate()
        assert "Traceback" not in errors
        new = told_finished(first + output)
        assert not new.keys() & told.keys()
        told |= new
        check_files(folder)
        if not (folder / "run.yaml").exists():
            continue
        there = {r.number: r for r in nas.open_run(folder).records()}
        assert all(repr(there[n].psnr_y_db) == psnr for n, psnr in told.items())
        assert all(there[n].state == FINISHED for n in told)
        if (folder / "trials.csv").exists():
            with (folder / "trials.csv").open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["state"] == FINISHED]
            assert all(float(r["psnr_y_db"]) == there[int(r["number"])].psnr_y_db for r in rows)
    output, errors = start(folder, goal).communicate(timeout=120)
    assert '"goal reached"' in output, errors
    records = {r.number: r for r in check_ended(folder, goal)}
    assert all(repr(records[n].psnr_y_db) == psnr for n, psnr in told.items())
    assert sum(r.state == FINISHED for r in records.values()) == goal
    # It was worth it: trainings were cut short.
    assert sum(r.state == INTERRUPTED for r in records.values()) >= 1


def test_ctrl_c(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    child = start(folder, 30)
    assert child.stdout is not None
    lines: list[str] = []
    while '"TrialEnded"' not in (lines or [""])[-1]:
        lines.append(child.stdout.readline())
    child.send_signal(signal.SIGINT)
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert errors == "nas: interrupted; the same command goes on where it stopped\n"
    told = told_finished("".join(lines) + output)
    records = {r.number: r for r in nas.open_run(folder).records()}
    assert told
    assert all(repr(records[n].psnr_y_db) == psnr for n, psnr in told.items())
    assert not [r for r in records.values() if r.state == RUNNING]
    check_files(folder)
    goal = len(told) + 1
    _, errors = start(folder, goal).communicate(timeout=60)
    assert errors == ""
    check_ended(folder, goal)


def test_two_at_once(start: Start, tmp_path: Path) -> None:
    folder, goal = tmp_path / "run", 5
    children = [start(folder, goal) for _ in range(2)]
    outputs = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0], outputs
    assert all('"goal reached"' in output for output, _ in outputs)
    records = check_ended(folder, goal)
    first, second = (told_finished(output) for output, _ in outputs)
    assert not first.keys() & second.keys()
    assert first.keys() | second.keys() == {r.number for r in records if r.state == FINISHED}
    # Each may have been training when the other reached the goal, but no more than that.
    assert len(first) + len(second) <= goal + 1
    with (folder / "trials.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(records)


def test_one_of_two_is_killed(start: Start, tmp_path: Path) -> None:
    folder, goal = tmp_path / "run", 4
    victim, other = start(folder, goal), start(folder, goal)
    assert victim.stdout is not None
    while '"TrialStarted"' not in victim.stdout.readline():
        pass
    victim.kill()
    _, errors = other.communicate(timeout=120)
    assert other.returncode == 0, errors
    assert "Traceback" not in errors
    # A last start sweeps up after the dead one.
    assert '"goal reached"' in start(folder, goal).communicate(timeout=60)[0]
    check_ended(folder, goal)
