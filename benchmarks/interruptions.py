"""Searches with two workers are interrupted at random moments: does one of them hang?

``python -m benchmarks.interruptions``: 100 times ``nas search --workers 2`` on very small networks,
another job beside on the same cores, Ctrl-C and SIGTERM by turns, every other time right after a
trial's end, where workers meet in the store most often. A search that is still there after 90
seconds hangs. Five interruptions share a run folder, so four of five searches go on with one that
was interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.hardware import header_line, write_result
from benchmarks.postgres import Server, find_programs
from nas.records import RUNNING
from search_spaces import Space

__all__ = ["Interruption", "interruptions"]

HANGS_S = 90.0
A_RUN = 5
INTERRUPTED = 130
SAID = "nas: interrupted; the same command goes on where it stopped\n"


@dataclass(frozen=True)
class Interruption:
    """How a search took it.

    Attributes:
        sign: the signal's name.
        moment: seconds after the first worker's start, or after a trial's end.
        after_trial: which of both.
        seconds: until its process was gone.
        hung: whether it had to be killed.
        faults: what else was not as it should be.
    """

    sign: str
    moment: float
    after_trial: bool
    seconds: float
    hung: bool
    faults: tuple[str, ...]


def interruptions(
    count: int, signs: Sequence[str], *, url: str | None = None, seed: int = 0
) -> Iterator[Interruption]:
    """Interrupts so many searches.

    Args:
        count: of the interruptions.
        signs: the signals' names, by turns.
        url: of the store; ``None``: the one in the run folder.
        seed: of the moments.
    """
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="nas-interrupted-") as name:
        folder = Path(name)
        plain = Space.load("tiny").to_dict()
        plain["name"] = "many-tiny"
        plain["dimensions"]["channels"] = {"fill": {"low": 4, "high": 32}}
        (folder / "space.yaml").write_text(json.dumps(plain))
        for k in range(count):
            yield _one(folder, k, signs[k % len(signs)], bool(k // len(signs) % 2), draw, url)


def _one(
    folder: Path, k: int, sign: str, after_trial: bool, draw: random.Random, url: str | None
) -> Interruption:
    run = folder / f"run{k // A_RUN}"
    code = "from nas.cli.main import main; main()"
    command = [sys.executable, "-c", code, "search", "--space", str(folder / "space.yaml")]
    command += ["--profile", "smoke", "--latency-size", "8x8", "--json", "--workers", "2"]
    command += ["--sampler", "random", "--trials", "100000", "--run", str(run), "--device", "cpu"]
    command += ["--storage", url] if url is not None else []
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(folder),
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
    }
    search = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert search.stdout is not None
    wanted = '"TrialEnded"' if after_trial else '"SearchStarted"'
    for line in search.stdout:
        if wanted in line:
            break
    moment = draw.uniform(0.0, 0.05) if after_trial else draw.uniform(0.0, 3.0)
    drained = threading.Thread(target=search.stdout.read, daemon=True)
    drained.start()
    time.sleep(moment)
    workers = _children(search.pid)
    began = time.monotonic()
    search.send_signal(getattr(signal, sign))
    hung = False
    try:
        search.wait(HANGS_S)
    except subprocess.TimeoutExpired:
        hung = True
        search.kill()
        search.wait()
    seconds = time.monotonic() - began
    drained.join()
    assert search.stderr is not None
    errors = search.stderr.read()
    search.stdout.close()
    search.stderr.close()
    faults = [] if hung else _faults(search.returncode, errors, workers, run, url)
    for worker in workers:
        with suppress(psutil.Error):
            worker.kill()
    return Interruption(sign, round(moment, 4), after_trial, round(seconds, 2), hung, tuple(faults))


def _children(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def _faults(
    code: int, errors: str, workers: Sequence[psutil.Process], run: Path, url: str | None
) -> list[str]:
    """What is not as an interruption should leave it."""
    import nas

    faults = []
    if code != INTERRUPTED:
        faults.append(f"exit code {code}")
    if errors != SAID:
        faults.append(f"said {errors[-300:]!r}")
    _, left = psutil.wait_procs(workers, timeout=5)
    faults += [f"worker {worker.pid} lives on" for worker in left]
    running = [r.number for r in nas.open_run(run, storage=url).records() if r.state == RUNNING]
    faults += [f"trial {number} left running" for number in running]
    if not (run / "trials.csv").exists():
        faults.append("no tables")
    return faults


@contextmanager
def _busy(jobs: int) -> Iterator[None]:
    """Other jobs on the machine, which make interruptions come at stranger moments."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(jobs)]
    try:
        yield
    finally:
        for job in busy:
            job.kill()
            job.wait()


@contextmanager
def _server() -> Iterator[str]:
    programs = find_programs()
    assert programs is not None, "PostgreSQL is not installed"
    server = Server(programs)
    try:
        server.start()
        yield server.new_database("study")
    finally:
        server.close()


def _summary(store: str, beside: int, made: Sequence[Interruption]) -> dict[str, Any]:
    seconds = [one.seconds for one in made if not one.hung] or [float("nan")]
    return {
        "store": store,
        "jobs_beside": beside,
        "interruptions": len(made),
        "hangs": sum(one.hung for one in made),
        "faults": [fault for one in made for fault in one.faults],
        "seconds_median": round(statistics.median(seconds), 2),
        "seconds_longest": max(seconds),
        "each": [asdict(one) for one in made],
    }


def main() -> None:
    """Interrupts searches with either store and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", choices=("embedded", "postgresql"))
    parser.add_argument("--signals", default="SIGINT,SIGTERM")
    parser.add_argument("--beside", type=int, default=1, help="jobs beside")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="write no result")
    chosen = parser.parse_args()
    # A shell has its jobs in the background ignore Ctrl-C, and they their children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(header_line(), flush=True)
    runs = []
    for store in ("embedded", "postgresql"):
        if chosen.only not in (None, store):
            continue
        made: list[Interruption] = []
        place = _server() if store == "postgresql" else nullcontext(None)
        with _busy(chosen.beside), place as url:
            signs = chosen.signals.split(",")
            for one in interruptions(chosen.count, signs, url=url, seed=chosen.seed):
                made.append(one)
                hangs = sum(each.hung for each in made)
                print(f"{store}: {hangs} hangs of {len(made)}; {one}", flush=True)
        runs.append(_summary(store, chosen.beside, made))
    if not chosen.dry:
        write_result("interruptions", {"runs": runs})


if __name__ == "__main__":
    main()
