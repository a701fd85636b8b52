"""The fuzz campaign: a few cases of every class, and what its harness notices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.fuzz.case import CANARY, Command
from benchmarks.fuzz.known import unknown_of
from benchmarks.fuzz.sandbox import Ended, Limits, Place, run_apart
from benchmarks.fuzz.snapshot import snapshot
from benchmarks.fuzz.verdict import ACCEPTED, RAN, REFUSED, judge
from benchmarks.fuzz.words import unfit, unknown

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the harness reads /proc")

CASES = 18


def test_some_cases_of_every_class(tmp_path: Path) -> None:
    """The same code as the long campaign, with other dice; in a process that has no threads."""
    output = tmp_path / "fuzz.json"
    words = ["--cases", str(CASES), "--seed", "1", "--output", str(output)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", *words],
        cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert output.is_file(), done.stderr
    told = json.loads(output.read_text())
    assert told["cases"] == CASES
    assert {one["cases"] for one in told["classes"].values()} == {CASES // len(told["classes"])}
    assert unknown_of(one["name"] for one in told["failures"]) == [], done.stdout
    # Neither is everything refused at the door, nor does nothing break.
    assert sum(one[REFUSED] for one in told["classes"].values()) > CASES / 4
    assert sum(one[ACCEPTED] + one[RAN] for one in told["classes"].values()) > 1


def ended(
    code: int | None = 2, err: str = "nas: x: expected y\n", out: str = "", **more: object
) -> Ended:
    plain = {"signal": None, "seconds": 0.1, "cpu_s": 0.1, "peak_mb": 10.0, **more}
    return Ended(code=code, out=out, err=err, **plain)  # type: ignore[arg-type]


TRACEBACK = f"""Traceback (most recent call last):
  File "{ROOT}/nas/run.py", line 7, in open_run
    x
  File "/usr/lib/python3/json/decoder.py", line 9, in decode
    y
KeyError: 'a'
"""


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (ended(), ""),
        (ended(0, "", "fine\n"), ""),
        (ended(2, "Photos: x, 3 to train\nnas: no\n"), ""),
        (ended(2, "nas: 2 of 3 images failed:\n  a: b\n  c: d\n"), ""),
        (ended(2, "", "\n Usage: nas [OPTIONS]\n"), ""),
        (ended(130, "nas: interrupted\n", told=True), ""),
        (ended(130, "nas: interrupted\n"), "exit code 130 describe"),
        (ended(1, TRACEBACK), "traceback KeyError nas/run.py open_run"),
        (ended(2, "nas: a\nb\n"), "not one line describe"),
        (ended(2, ""), "not one line describe"),
        (ended(2, "a.py:3: UserWarning: old\nnas: no\n"), "unfit for a screen describe"),
        (ended(2, "nas: no \x1b[31mred\n"), "unfit for a screen describe"),
        (ended(0, "", "a\x9b31m\n"), "unfit for a screen describe"),
        (ended(2, f"nas: {'x' * 9_000}\n"), "long-winded describe"),
        (ended(1, "no"), "exit code 1 describe"),
        (ended(None, "", signal=11), "signal 11 describe"),
        (ended(None, "", signal=9, killed="time"), "hang describe"),
        (ended(2, seconds=3.0), "slow describe"),
        (ended(2, peak_mb=1_200.0), "memory describe"),
        (ended(0, "", orphans=2), "processes left behind describe"),
    ],
)  # fmt: skip
def test_ends_and_words(one: Ended, name: str) -> None:
    _, failures = judge(Command(("describe", "x"), "broken"), one, Limits(), {}, {}, [])
    assert [failure.name for failure in failures] == ([name] if name else [])


def test_files_are_watched(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("a")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.yaml").write_text("a")
    os.mkfifo(tmp_path / "pipe")
    before = snapshot(tmp_path)
    assert snapshot(tmp_path) == before
    (tmp_path / "in").write_text("b")
    (tmp_path / "run" / "run.yaml").write_text("b")
    (tmp_path / "run" / "table.csv").write_text("b")
    (tmp_path / "run" / ".best.abcd_123.yaml").write_text("half")
    (tmp_path / CANARY).touch()
    (tmp_path / "out.yaml").touch()
    command = Command(("report",), "x", ("run", "out.yaml"), kept=("run/run.yaml",))
    state, failures = judge(command, ended(), Limits(), before, snapshot(tmp_path), ["tmpx"])
    assert state == REFUSED
    assert {failure.name for failure in failures} == {
        "changed beside its output report",
        "changed though refused report",
        "written though refused report",
        "left behind report",
        "code was run report",
    }


def test_a_child_is_run_apart(tmp_path: Path) -> None:
    def act() -> None:
        print("out", os.environ["TMPDIR"])
        print("err \udcff", file=sys.stderr)
        Path("made").touch()
        raise SystemExit(3)

    place = Place.make(tmp_path)
    found = run_apart(act, place, Limits())
    assert (found.code, found.signal, found.killed) == (3, None, "")
    assert found.out == f"out {place.temporary}\n"
    assert found.err == "err \\udcff\n"
    assert (place.case / "made").exists()
    assert found.seconds < 5
    assert found.peak_mb < 50


def memory() -> None:
    held = [bytearray(b"x" * 10_000_000) for _ in range(80)]
    time.sleep(60)
    del held


def stubborn() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    time.sleep(60)


@pytest.mark.parametrize(
    ("action", "killed"),
    [(lambda: time.sleep(60), "time"), (memory, "memory"), (stubborn, "time")],
    ids=["sleeps", "takes memory", "does not stop"],
)
def test_a_child_is_ended(action: Callable[[], None], killed: str, tmp_path: Path) -> None:
    limits = Limits(seconds=0.3, memory_mb=100.0) if killed == "time" else Limits(30.0, 100.0)
    found = run_apart(action, Place.make(tmp_path), limits)
    assert found.killed == killed


def test_who_trains_is_told_to_stop(tmp_path: Path) -> None:
    def act() -> None:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    found = run_apart(act, Place.make(tmp_path), Limits(seconds=0.3, stop=True))
    assert (found.code, found.told, found.killed) == (130, True, "")
    state, failures = judge(Command(("train",), "x"), found, Limits(), {}, {}, [])
    assert (state, failures) == (RAN, ())


def test_children_of_a_child_are_found(tmp_path: Path) -> None:
    found = run_apart(lambda: subprocess.Popen(["sleep", "60"]), Place.make(tmp_path), Limits())
    assert (found.code, found.orphans) == (0, 1)


def test_words() -> None:
    assert unfit("fine\nnas: é\n") == []
    assert unknown("nas: one\n") == []
    assert unknown("nas: one\nnas: two\n") == ["nas: one"]
