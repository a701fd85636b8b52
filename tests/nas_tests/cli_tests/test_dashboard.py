"""``nas dashboard``: the study served, its front told truthfully, one line for what is wrong."""

from __future__ import annotations

import importlib.util
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest

from nas.cli.dashboard import front_note
from nas.run import open_run
from tests.nas_tests.conftest import Finished, Outcome
from tests.preloaded import NAS
from tests.requirements import missing

Command = Callable[..., Outcome]


@pytest.fixture
def installed() -> None:
    if importlib.util.find_spec("optuna_dashboard") is None:
        missing("optuna-dashboard is not installed: pip install 'nas-sr[dashboard]'")


@contextmanager
def killed(process: subprocess.Popen[str]) -> Iterator[None]:
    """Ends it for good where the block fails, so that nobody waits for it."""
    try:
        yield
    except BaseException:
        process.kill()
        raise


@pytest.mark.usefixtures("installed")
def test_serves_the_study_until_it_is_interrupted(
    finished: Finished, environ: dict[str, str]
) -> None:
    command = [*NAS, "dashboard", str(finished.folder), "--port", "0", "--no-browser"]
    with (
        subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as served,
        killed(served),
    ):
        assert served.stdout is not None
        first, second = served.stdout.readline(), served.stdout.readline()
        assert "http://127.0.0.1:" in first, first
        assert "the feasible one: all 4 completed" in second
        root = first.split()[2].partition("/dashboard")[0]
        number = first.split()[2].rpartition("/")[2]
        with urllib.request.urlopen(f"{root}/api/studies/{number}?after=0", timeout=30) as answer:
            study = json.load(answer)
        numbers = {trial["number"] for trial in study["best_trials"]}
        assert numbers == {r.number for r in open_run(finished.folder).front_records()}
        served.send_signal(signal.SIGINT)
        out, err = served.communicate(timeout=30)
        assert (served.returncode, out, err) == (0, "Dashboard ended\n", "")


def test_a_front_that_is_not_feasible_is_called_so() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    for over in (-0.1, 0.2):
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        trial.set_constraint("params", over)
        study.tell(trial, [1.0, 1.0])
    assert "NOT the feasible one" in front_note(study)
    assert "(1)" in front_note(study)


def test_without_the_extra(
    command: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    outcome = command("dashboard", finished.folder)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "pip install 'nas-sr[dashboard]'" in outcome.err


@pytest.mark.usefixtures("installed")
def test_a_taken_port_and_no_run(command: Command, finished: Finished, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = command("dashboard", finished.folder, "--port", port, "--no-browser")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "give another --port" in outcome.err
    assert command("dashboard", finished.folder, "--port", 99999, "--no-browser").code == 2
    outcome = command("dashboard", tmp_path)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "no run is there" in outcome.err
