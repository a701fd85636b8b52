"""Trials an hour: several workers of one thread against one worker with all threads.

``python -m benchmarks.worker_throughput --case tiny`` (or ``100K``), on an idle machine. Both
crews train the same networks, one after the other in turns; the time runs from the first
training step to the end of the last training, so that starting the processes does not count. It
is given beside.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.hardware import RESULTS, header_line, write_result

__all__ = ["measure"]

CASES: dict[str, dict[str, Any]] = {
    "tiny": {"space": "tiny", "trials": 8, "steps": 180},
    "100K": {"space": "distillation", "budgets": ["100K-params"], "trials": 6, "steps": 100},
}
NAME = "worker_throughput"


def measure(case: str, workers: int, threads: int) -> dict[str, Any]:
    """One search by so many workers, in a process of its own.

    Returns:
        ``trials_per_hour`` and ``start_s``, the seconds until the first training step.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.worker_throughput", "--case", case]
        command += ["--search", str(Path(folder) / "run"), "--workers", str(workers)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=600
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def _search(case: str, run: Path, workers: int) -> dict[str, Any]:
    """The search that is timed."""
    began = time.monotonic()
    from nas.explore.events import Event, TrainingStep, TrialEnded
    from nas.explore.settings import make_settings
    from nas.training.recipe import profile
    from nas.workers.crew import Crew
    from nas.workers.together import search_together

    chosen = CASES[case]
    first: list[float] = []
    ended: list[float] = []

    def observe(event: Event) -> None:
        if isinstance(event, TrainingStep) and not first:
            first.append(time.monotonic())
        if isinstance(event, TrialEnded):
            ended.append(time.monotonic())

    settings = make_settings(
        chosen.get("budgets", ()),
        space=chosen["space"],
        recipe=profile("quick").replace(steps=chosen["steps"]),
        sampler="random",
        rungs=1,
        trials=chosen["trials"],
        run=run,
        latency_size=(8, 8),
        device="cpu",
    )
    search_together(settings, Crew(workers), observe)
    return {
        "trials_per_hour": round(len(ended) * 3600 / (ended[-1] - first[0]), 1),
        "start_s": round(first[0] - began, 2),
    }


def main() -> None:
    """Measures one case, in turns, and adds it to the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.search is not None:
        print(json.dumps(_search(chosen.case, chosen.search, chosen.workers)))
        return
    print(header_line())
    crews = {
        f"{chosen.workers} workers of 1 thread": (chosen.workers, 1),
        f"1 worker of {chosen.workers} threads": (1, chosen.workers),
    }
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in crews}
    for _ in range(chosen.repeats):
        for name, (workers, threads) in crews.items():
            runs[name].append(measure(chosen.case, workers, threads))
            print(name, runs[name][-1], flush=True)
        # After every pair: what there is at the end of the quiet time counts.
        _write(chosen.case, runs)


def _write(case: str, runs: dict[str, list[dict[str, Any]]]) -> None:
    """Adds a case to the result."""
    medians = {
        name: statistics.median(run["trials_per_hour"] for run in of) for name, of in runs.items()
    }
    several, one = medians.values()
    ratio = round(several / one, 3)
    print(medians, f"ratio {ratio}", flush=True)
    figures = {**CASES[case], "runs": runs, "median": medians, "ratio": ratio}
    path = RESULTS / f"{NAME}.json"
    before = json.loads(path.read_text())["cases"] if path.exists() else {}
    write_result(NAME, {"cases": {**before, case: figures}})


if __name__ == "__main__":
    main()
