"""Whole searches are killed at random: is every finished row still there, and can it be read?

    python -m benchmarks.kill_searches            # 100 times kill -9, some ten minutes

The command ``nas search`` with early stopping, two workers and the store embedded in its run
folder, trainings of a second. A reader of its own, which knows nothing but SQLite and Optuna's
tables, opens the store all the while; then the command and its workers die at once (``kill -9``).
What was finished before must be there after it, the same to the last character, for that reader
and for `nas.open_run`; and the same command goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

import nas
from benchmarks.hardware import header_line, write_result
from nas.records import INTERRUPTED, RUNNING
from search_spaces.errors import InputError

KILLS = 100
LEAST_S, MOST_S = 1.0, 15.0
COMMAND = (
    "search", "--space", "tiny", "--profile", "smoke", "--rungs", "2", "--eta", "2",
    "--budget", "40K-params", "--sampler", "random", "--workers", "2", "--device", "cpu",
    "--latency-size", "8x8", "--trials", "60",
)  # fmt: skip

Rows = dict[int, tuple[Any, ...]]


def main() -> None:
    """Kills, reads, counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(header_line(), flush=True)
    rng, counts, faults = random.Random(arguments.seed), Counter[str](), list[str]()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        while counts["kills"] < arguments.kills:
            folder = Path(place) / f"run-{counts['searches that came to their goal']}"
            one_start(folder, rng.uniform(LEAST_S, MOST_S), counts, faults)
            if counts["kills"] % 10 == 0:
                print(f"{dict(counts)}, faults {len(faults)}", flush=True)
    figures = {
        "command": " ".join(COMMAND),
        "seconds": round(time.monotonic() - began, 1),
        **counts,
        "faults": faults,
    }
    print(figures)
    print(f"written to {write_result('kill_searches', figures)}")


def one_start(folder: Path, seconds: float, counts: Counter[str], faults: list[str]) -> None:
    """The command from its start to its death, or to its goal."""
    store = folder / "study.db"
    command = [sys.executable, "-m", "nas.cli.main", *COMMAND, "--run", str(folder)]
    with open(os.devnull, "wb") as nothing:
        search = subprocess.Popen(command, stdout=nothing, stderr=nothing, start_new_session=True)
    end, before = math.inf, Rows()
    while time.monotonic() < end and search.poll() is None:
        if store.exists():
            # Its workers are on their way.
            end = min(end, time.monotonic() + seconds)
            before = _read(store, before, "while it runs", counts, faults)
        time.sleep(0.05)
    if search.poll() is not None:
        counts["searches that came to their goal"] += 1
        if search.returncode:
            faults.append(f"{folder.name}: exit code {search.returncode}")
        return
    _kill(search)
    counts["kills"] += 1
    if not store.exists():
        return
    _read(store, before, "after its death", counts, faults)
    with contextlib.suppress(InputError):
        # No run.yaml yet: it died before its first trial.
        records = nas.open_run(folder).records()
        known = {r.number for r in records if r.state not in (RUNNING, INTERRUPTED)}
        ended = {number for number, row in before.items() if row[0] != "FAIL"}
        if not ended <= known:
            faults.append(f"trials {sorted(ended - known)} are unknown to nas.open_run")


def _kill(search: subprocess.Popen[bytes]) -> None:
    family = [search.pid, *(one.pid for one in psutil.Process(search.pid).children(recursive=True))]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    search.wait()
    # A worker is a session of its own: nothing of it writes any more once it is gone.
    psutil.wait_procs([psutil.Process(pid) for pid in family if psutil.pid_exists(pid)], 5.0)


def _read(store: Path, before: Rows, when: str, counts: Counter[str], faults: list[str]) -> Rows:
    """The finished rows as they are now, held against those from before."""
    try:
        rows = finished(store)
    except sqlite3.Error as error:
        if "no such table" not in str(error):
            faults.append(f"{when}: {error}")
        return before
    counts[f"readings {when}"] += 1
    lost = [number for number, row in before.items() if rows.get(number) != row]
    if lost:
        faults.append(f"{when}: trials {lost} were lost or changed")
    return rows


def finished(store: Path) -> Rows:
    """Every finished trial's state, values and attributes, by its number."""
    with contextlib.closing(sqlite3.connect(store, timeout=30)) as database:
        rows: Rows = {}
        states = database.execute(
            "SELECT trial_id, number, state FROM trials "
            "WHERE state IN ('COMPLETE', 'PRUNED', 'FAIL')"
        ).fetchall()
        for trial, number, state in states:
            values, attributes = (
                tuple(sorted(database.execute(f"SELECT {what} WHERE trial_id = ?", (trial,))))
                for what in (
                    "objective, value FROM trial_values",
                    "key, value_json FROM trial_user_attributes",
                )
            )
            rows[number] = (state, values, attributes)
    return rows


if __name__ == "__main__":
    main()
