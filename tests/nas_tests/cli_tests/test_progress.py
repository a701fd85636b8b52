"""What a search shows: JSON lines, plain lines, a display on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from nas.cli.events import print_json
from nas.cli.progress import Display, PlainLines
from nas.explore.events import (
    Event,
    MachineBusy,
    NetworksMeasured,
    SearchEnded,
    SearchStarted,
    TrialEnded,
    TrialMeasuring,
    TrialRejected,
)
from nas.records import FAILED, REJECTED, STOPPED, Rung, TrialRecord
from tests.nas_tests.conftest import TINY, Finished
from tests.preloaded import NAS


def test_json_lines_hold_everything_but_the_steps(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    for event in finished.events:
        print_json(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "SearchStarted"
    assert lines[0]["goal"] == 4
    assert lines[-1] == {
        "event": "SearchEnded", "reason": "goal reached", "trained": 4, "goal": 4,
    }  # fmt: skip
    assert sum(line["event"] == "TrialEnded" for line in lines) == 4
    assert "TrainingStep" not in {line["event"] for line in lines}


def test_plain_lines(finished: Finished, capsys: pytest.CaptureFixture[str]) -> None:
    for event in finished.events:
        PlainLines()(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 7
    assert "4 networks, 12 training steps each, on cpu" in lines[0]
    assert lines[1].startswith("Photos: embedded, 6 to train, 2 to validate; bicubic ")
    assert all(f"{k}/4  trial" in lines[k + 1] for k in range(1, 5))
    assert "front of" in lines[5]
    assert lines[6] == "Stopped after 4 of 4 networks: goal reached"
    assert "\x1b" not in captured.err


def test_the_first_networks_measured(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display()
    for done in range(4):
        PlainLines()(NetworksMeasured(done, 3))
        display.observe(NetworksMeasured(done, 3))
        tasks = [(task.description, task.completed, task.total) for task in display._progress.tasks]
        assert tasks == ([("measuring 3 networks", done, 3)] if done < 3 else [])
    display.stop()
    assert capsys.readouterr().err.splitlines()[0] == "measuring 3 networks"


def test_measuring_for_long_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 1.0, 6.0, 6.0, 10.0, 20.0, 21.0, 23.0, 23.0, 24.0])
    monkeypatch.setattr("nas.cli.progress.time.monotonic", lambda: next(now))
    plain = PlainLines()
    for done in range(4):
        plain(NetworksMeasured(done, 3))
    for over in range(4):
        plain(TrialMeasuring(4 + over, over))
    assert capsys.readouterr().err.splitlines() == [
        "measuring 3 networks",
        "measured 2 of 3",
        "measuring networks: the last 2 took more than a budget",
    ]


def test_networks_over_a_budget_show_on_a_terminal() -> None:
    display = Display()
    for number in (3, 4):
        display.observe(TrialMeasuring(number, number - 3))
        (task,) = display._progress.tasks
        assert task.visible
        assert task.description == f"measuring trial {number}"
        assert task.fields["facts"] == (number - 3) * "the last one took more than a budget"
        display.observe(TrialRejected(TrialRecord(number, REJECTED, reason="over budget")))
        assert not display._progress.tasks[0].visible


def test_a_busy_machine_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines()(MachineBusy(2.34))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("this machine is busy: networks take 2.3 times as long as")


def test_plain_lines_of_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    failed = TrialRecord(3, FAILED, reason="diverged: the loss is nan at step 3")
    skipped = {"truncated": 2, "too small": 1}
    events: list[Event] = [
        SearchStarted("runs/x", 4, 1, "mine", 5, 2, 29.0, "cpu", 10, skipped, baseline="input"),
        TrialEnded(failed, 1, 4, 0, None),
        SearchEnded("time is up", 1, 4),
    ]
    for event in events:
        PlainLines()(event)
    err = capsys.readouterr().err
    assert "2 to validate; input 29.000 dB" in err
    assert "Going on: 1 networks are trained already" in err
    assert "Image files left out: 2 truncated, 1 too small" in err
    assert "failed: diverged: the loss is nan at step 3  no network finished yet" in err


def test_plain_lines_of_early_stopping(capsys: pytest.CaptureFixture[str]) -> None:
    paused = TrialRecord(
        2, STOPPED, params=300_000, rungs=(Rung(40, 29.5, 0.8, 1.0),),
        reason="stopped at step 40 of 360",
    )  # fmt: skip
    rungs = (40, 120, 360)
    notes = ("run:old/3 is left out: over the budget for params",)
    for event in (
        SearchStarted(
            "runs/x", 16, 0, "mine", 5, 2, 29.0, "cpu", 360, {}, rungs, notes, "8×8 input, 1 thread"
        ),
        TrialEnded(paused, 3, 16, 0, None, 2),
    ):
        PlainLines()(event)
    err = capsys.readouterr().err
    assert "Latency: 8×8 input, 1 thread\n" in err
    assert "Early stopping: only the best go on after 40, 120 steps" in err
    assert "Note: run:old/3 is left out: over the budget for params" in err
    assert "3/16  trial   2  29.500 dB  300.0 K  stopped at step 40 of 360  " in err
    assert err.endswith("no network finished yet, 2 stopped\n")


def test_display_on_a_terminal(environ: dict[str, str], tmp_path: Path) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    before = termios.tcgetattr(slave)
    child = subprocess.Popen(
        [*NAS, "search", *TINY, "--latency-size", "16x16", "--trials", "60", "--run", tmp_path],
        env={**environ, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    wanted = (r"trial \d", r"step \d+/12", r"\d steps/s", r"loss 0\.", r"best \d\d\.\d{3} dB",
              r"front of \d", r"about .* left", r"\d+/60")  # fmt: skip
    try:
        text, began, stopped = "", time.monotonic(), False
        while time.monotonic() - began < 90:
            if not select.select([master], [], [], 1.0)[0]:
                if child.poll() is not None:
                    break
                continue
            try:
                chunk = os.read(master, 65536).decode(errors="replace")
            except OSError:  # what a closed terminal gives on Linux
                break
            text += chunk
            seen = all(re.search(pattern, text) for pattern in wanted)
            if seen and not stopped:
                child.send_signal(signal.SIGINT)
                stopped = True
            if stopped and child.poll() is not None:
                break
            if "interrupted" in text:
                break
        assert [p for p in wanted if not re.search(p, text)] == []
        assert child.wait(timeout=30) == 130
        assert termios.tcgetattr(slave) == before
    finally:
        child.kill()
        child.wait()
        os.close(slave)
        os.close(master)
    assert "Traceback" not in text
    # The cursor was hidden, and is shown again at the end.
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert text.rstrip().endswith("nas: interrupted; the same command goes on where it stopped")
