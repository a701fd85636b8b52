"""``nas audit`` as a user meets it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import nas
from nas.audit.store import AuditFolder
from tests.nas_tests.conftest import Finished, Outcome
from tests.preloaded import NAS

Command = Callable[..., Outcome]
QUICK = ("--networks", 4, "--factor", 1.5)


def test_tells_and_writes(finished: Finished, command: Command, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    outcome = command("audit", folder, *QUICK)
    assert outcome.code == 0, outcome.err
    assert "8 trainings of 18 steps, 0 of them done" in outcome.err
    assert "8/8 trainings" in outcome.err
    for text in ("proxy", "params", "long, another seed", "too few to compare", "audit.png"):
        assert text in outcome.out
    made = folder / "audit"
    told = json.loads((made / "audit.json").read_text())
    assert (told["proxy_step"], told["long_step"], told["seeds"]) == (12, 18, [0, 1])
    assert len(told["trials"]) == 4
    assert told["findings"]
    # The same seed on the same machine and threads comes to the same figures.
    assert told["repeat_db"] == pytest.approx(0.0, abs=1e-6)
    assert set(pd.read_csv(made / "signals.csv")["kind"]) >= {"rung", "cheap", "ceiling"}
    assert len(pd.read_csv(made / "trainings.csv").groupby(["hash", "seed"])) == 8
    assert (made / "audit.svg").stat().st_size > 0

    before = {path: path.stat().st_mtime_ns for path in (made / "trainings").iterdir()}
    again = command("audit", folder, "--networks", 9, "--factor", 1.5)
    assert again.code == 0
    assert again.err == ""
    assert "The run has 4 networks; 9 were asked for." in again.out
    assert before == {path: path.stat().st_mtime_ns for path in (made / "trainings").iterdir()}


def test_goes_on_where_it_was_killed(
    finished: Finished, environ: dict[str, str], process: Command, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    options = ("--networks", 3, "--factor", 2, "--seeds", 1)
    started = subprocess.Popen(
        [*NAS, "audit", str(folder), *map(str, options)],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    trainings, ended = folder / "audit" / "trainings", time.monotonic() + 60
    while not list(trainings.glob("[!.]*.csv")):
        assert time.monotonic() < ended
        assert started.poll() is None
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    kept = {path.name: path.read_text() for path in trainings.glob("[!.]*.csv")}
    outcome = process("audit", folder, *options)
    assert outcome.code == 0, outcome.err
    # Nothing half-written is left.
    assert len(list(trainings.iterdir())) == 3
    for name, text in kept.items():
        assert (trainings / name).read_text().startswith(text)
    # The dead hold no lock.
    with AuditFolder(folder / "audit").turn(next(iter(kept))[:-4], wait=False) as mine:
        assert mine


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--networks", "2"], "networks: expected at least 3, got 2"),
        (["--factor", "0.5"], "factor: expected more than 1"),
        (["--factor", "long"], "unable to parse string as a number"),
        (["--seeds", "0"], "seeds: expected 1 to 1000, got 0"),
        (["--bands", "2"], "--bands"),
        (["--data", "nowhere"], "nowhere"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_bad_input_is_one_line(
    options: list[str], told: str, finished: Finished, command: Command, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished.folder, tmp_path / "run"))
    outcome = command("audit", folder, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1, outcome.err
    assert told in outcome.err
    assert not (folder / "audit" / "audit.json").exists()


def test_without_finished_trials(
    finished: Finished, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = command("audit", tmp_path)
    assert outcome.code == 2
    assert "no run is there" in outcome.err
    records = nas.open_run(finished.folder).records()
    monkeypatch.setattr("nas.run.Run.records", lambda run: records[:1])
    outcome = command("audit", shutil.copytree(finished.folder, tmp_path / "run"))
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "at least 3 finished networks, got 1; go on with its search first" in outcome.err
