"""Searches in processes of their own: killed, interrupted, two at once, on a full disk."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

import nas
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.records import FAILED, FINISHED, INTERRUPTED, REJECTED, RUNNING, TrialRecord
from nas.store.study import open_storage
from search_spaces import Architecture, Space, load
from search_spaces.errors import InputError
from search_spaces.space import Point
from tests.nas_tests.conftest import Outcome
from tests.preloaded import NAS

Start = Callable[..., "subprocess.Popen[str]"]
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


def check_files(folder: Path) -> None:
    """Whatever is there opens."""
    if (folder / "study.db").exists():
        with closing(sqlite3.connect(folder / "study.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for path in folder.glob("[!.]*.csv"):
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        assert len({len(row) for row in rows}) == 1
    if (folder / "best.yaml").exists():
        Architecture.load(folder / "best.yaml")
    for path in (*folder.glob("weights/[!.]*"), *folder.glob("best.safetensors")):
        load(path)
    for path in folder.glob("checkpoints/[!.]*"):
        torch.load(path, weights_only=True)


def check_ended(folder: Path, goal: int) -> list[TrialRecord]:
    """The search is through: nothing twice, nothing half done, nothing left lying about."""
    records = nas.open_run(folder).records()
    counts = Counter(r.state for r in records)
    assert counts[FINISHED] >= goal
    assert counts[RUNNING] == 0
    assert counts[FAILED] == 0
    finished = [r for r in records if r.state == FINISHED]
    networks = [r.architecture_hash for r in finished]
    assert len(networks) == len(set(networks))
    # What was interrupted with its network known was done after all.
    lost = {r.architecture_hash for r in records if r.state == INTERRUPTED} - {""}
    assert lost <= set(networks)
    check_files(folder)
    run = nas.open_run(folder)
    best = run.best()
    assert best is not None
    assert load(folder / "best.safetensors").architecture.hash == best.architecture_hash
    assert Architecture.load(folder / "best.yaml").hash == best.architecture_hash
    kept = {int(path.stem) for path in folder.glob("weights/*")}
    assert kept == {r.number for r in run.front_records()} | {best.number}
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]
    assert not list(folder.glob("workers/*.lock"))
    assert not list(folder.glob("checkpoints/*"))
    return records


def test_kill_at_any_moment(start: Start, tmp_path: Path) -> None:
    folder, goal, rng = tmp_path / "run", 12, random.Random(0)
    told: dict[int, str] = {}
    for kill in range(6):
        child = start(folder, goal)
        if kill:
            # The search itself is where most is at stake; reading the photos takes longest.
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.7))
        else:
            first = ""
            time.sleep(rng.uniform(0.5, 2.5))
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
    goal = len(told) + 2
    _, errors = start(folder, goal).communicate(timeout=60)
    assert errors == ""
    check_ended(folder, goal)


def test_two_at_once(start: Start, tmp_path: Path) -> None:
    folder, goal = tmp_path / "run", 8
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
    folder, goal = tmp_path / "run", 8
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 420 KB in memory, where the system lets the tests mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=420k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    ) if os.path.exists("/bin/mount") else None  # fmt: skip
    if mounted is None or mounted.returncode:
        pytest.skip("a small disk takes the right to mount one: run as root on Linux")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("size_kb", [150, 420])
def test_full_disk(
    size_kb: int, small_disk: Path, process: Callable[..., Outcome], one_thread: None
) -> None:
    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)

    resize(f"{size_kb}k")
    folder = small_disk / "run"
    settings: dict[str, Any] = {"space": "tiny", "profile": "smoke", "latency_size": (16, 16)}
    options = ("search", "--space", "tiny", "--profile", "smoke", "--latency-size", "16x16")
    ended = process(*options, "--run", folder, "--trials", 8)
    assert ended.code == 2
    last = ended.err.splitlines()[-1]
    assert last.startswith("nas: ")
    assert "No space left on device" in last or "disk is full" in last or "is the disk full" in last
    assert "Traceback" not in ended.err
    assert not [line for line in ended.err.splitlines()[:-1] if line.startswith(("nas:", "["))]
    check_files(folder)
    assert not [p for p in folder.rglob("*") if p.name.startswith(".")]
    before = {}
    if (folder / "run.yaml").exists():
        records = nas.open_run(folder).records()
        before = {r.number: repr(r.psnr_y_db) for r in records if r.state == FINISHED}
    resize("4m")
    run = nas.search(trials=8, run=folder, **settings)
    after = {r.number: repr(r.psnr_y_db) for r in run.records()}
    assert all(after[number] == psnr for number, psnr in before.items())
    check_ended(folder, 8)


def test_a_checkpoint_that_does_not_fit_on_the_disk(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    monkeypatch.setattr("nas.training.checkpointed._CHECKPOINT_SECONDS", 0.0)
    (small_disk / "other").write_bytes(b"x" * 200_000)
    with pytest.raises(InputError, match=r"cannot write .*checkpoints") as caught:
        nas.search(
            trials=4, run=small_disk / "run", space="tiny", profile="smoke", latency_size=(8, 8)
        )
    assert "\n" not in str(caught.value)
    (small_disk / "other").unlink()


def test_a_store_that_cannot_be_written_is_one_line(tmp_path: Path, one_thread: None) -> None:
    settings = make_settings(
        space="tiny", profile="smoke", run=tmp_path, storage="sqlite:////proc/none/study.db"
    )
    with pytest.raises(InputError, match="cannot be opened: unable to open database file"):
        run_search(settings)


@pytest.fixture(scope="module")
def undisturbed(own_lock: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The PSNR of the networks of a search that nothing happens to."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    settings = TestDeathAtAGivenPlace.SETTINGS
    run = nas.search(run=tmp_path_factory.mktemp("whole"), trials=2, **settings)
    torch.set_num_threads(before)
    return list(run.finished()["psnr_y_db"])


class TestDeathAtAGivenPlace:
    """Where a random kill seldom lands."""

    SETTINGS: ClassVar[dict[str, Any]] = {
        "space": "tiny",
        "profile": "smoke",
        "latency_size": (8, 8),
    }

    def crash(self, folder: Path, where: str, **settings: Any) -> None:
        class Died(BaseException):
            pass

        def die(*args: Any, **more: Any) -> Any:
            raise Died

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(where, die)
            with pytest.raises(Died):
                nas.search(run=folder, trials=2, **self.SETTINGS | settings)

    @pytest.mark.parametrize(
        "where",
        [
            "nas.explore.plan.begin",
            "search_spaces.space.Space.fill",
            "nas.explore.plan.Job.write",
            "nas.latency.meter.Meter.measure",
            "nas.explore.trainer.NetworkTrainer.advance",
            "nas.explore.trainer.save_weights",
            "optuna.study.Study.tell",
            "nas.explore.worker.write_tables",
            "nas.explore.trainer.NetworkTrainer.forget",
        ],
    )
    def test_the_search_goes_on(
        self, where: str, undisturbed: list[float], tmp_path: Path, one_thread: None
    ) -> None:
        self.crash(tmp_path / "run", where)
        run = nas.search(run=tmp_path / "run", trials=2, **self.SETTINGS)
        records = check_ended(tmp_path / "run", 2)
        assert {r.state for r in records} <= {FINISHED, INTERRUPTED, REJECTED}
        assert list(run.finished()["psnr_y_db"]) == undisturbed

    @pytest.mark.parametrize("where", ["nas.explore.plan.claim", "search_spaces.space.Space.fill"])
    def test_a_published_system_is_not_lost(
        self, where: str, tmp_path: Path, one_thread: None
    ) -> None:
        tiny = Space.load("tiny")
        point: Point = {"family": "none", "attention": "none", "blocks": 1, "channels": 8}
        space = Space(tiny.name, tiny.about, tiny.dimensions, tiny.template, {"little": point})
        self.crash(tmp_path, where, space=space)
        run = nas.search(run=tmp_path, trials=1, **self.SETTINGS | {"space": space})
        (row,) = run.finished().to_dict("records")
        assert row["source"] == "start:little"
        assert row["architecture_hash"] == space.architecture(point, 4).hash

    def test_half_made_study_is_made_again(self, tmp_path: Path, one_thread: None) -> None:
        self.crash(tmp_path, "nas.explore.context.fixed_parameters", space="distillation")
        run = nas.search(run=tmp_path, trials=1, **self.SETTINGS)
        assert len(run.finished()) == 1

    def test_trials_of_another_living_worker_are_left_alone(
        self, tmp_path: Path, one_thread: None
    ) -> None:
        from nas.store.leases.folder import FolderLease
        from nas.store.study import recover_interrupted

        run = nas.search(run=tmp_path, trials=1, **self.SETTINGS)
        import optuna

        study = optuna.load_study(study_name=run.about["study"], storage=open_storage(run.storage))
        mine, others = FolderLease(tmp_path / "workers"), FolderLease(tmp_path / "workers")
        claimed, unclaimed = study.ask(), study.ask()
        claimed.set_user_attr("nas_worker", others.worker)
        assert not mine.alone()
        # A living worker claims its trial in the turn in which it asks for it.
        assert recover_interrupted(study, mine.alive) == 1
        others.release()
        assert mine.alone()
        assert recover_interrupted(study, mine.alive) == 1
        states = [study.trials[t.number].state.name for t in (claimed, unclaimed)]
        assert states == ["FAIL", "FAIL"]
        mine.release()

    def test_the_last_to_go_leaves_nothing_of_its_own(self, tmp_path: Path) -> None:
        from nas.store.leases.folder import FolderLease

        first, last = (FolderLease(tmp_path / "new/run/workers") for _ in range(2))
        with first.turn():
            pass
        first.release()
        assert (tmp_path / "new/run/workers/turn").exists()
        last.release()
        # What others made is theirs.
        assert [path.name for path in tmp_path.rglob("*")] == ["new", "run"]
        alone = FolderLease(tmp_path / "another/workers")
        alone.release()
        assert not (tmp_path / "another").exists()
