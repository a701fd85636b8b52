"""What a search costs beside its trainings: scheduler, sampler, store and tables.

    python -m benchmarks.search_overhead
    python -m benchmarks.search_overhead --rungs 1

Fills a SQLite store with a search of a thousand networks, with a trainer that trains nothing
and makes its figures up, and then times the next hundred: all that these take is overhead. It
is compared with the time that their training steps would have taken under the quick profile,
measured beside it on E-RFDN, a network in the middle of the budget. Asking for the next
candidate is timed by itself. With ``--rungs 1`` every network is trained to the end. With
``--run`` the filled store is kept, and used again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hardware import RESULTS, header_line, write_result
from nas.evaluate.recipe import profile
from nas.explore.ledger import Standing
from nas.explore.meter import Prices
from nas.explore.plan import Plan
from nas.explore.search import run_search
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.trainer import NetworkTrainer, OnStep, Photos
from nas.records import Rung
from search_spaces import Architecture, Space, price

GOALS = {"overhead_share": 0.02, "ask_ms": 100.0}


class MadeUp:
    """Worth that follows from a network's price and hash; no step is trained."""

    photos = Photos("made up", "0" * 16)

    def __init__(self, rung_steps: Sequence[int]) -> None:
        self.steps = 0
        self._before = dict(zip(rung_steps, (0, *rung_steps), strict=False))

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        self.steps += until_step - self._before[until_step]
        name = architecture.hash
        rng = np.random.default_rng([int(name, 16), until_step])
        lasting = np.random.default_rng(int(name, 16)).normal(0, 0.1)
        worth_db = 28 + 0.4 * np.log10(price(architecture).params) + lasting
        noise_db = rng.normal(0, 0.04)
        return Rung(until_step, float(worth_db + noise_db - 20 / until_step), 0.8, 0.0)

    def save_weights(self, architecture: Architecture, checkpoint: Path, path: Path) -> None:
        pass

    def forget(self, checkpoint: Path) -> None:
        pass


def main() -> None:
    """Runs the benchmark and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000, help="that are there before")
    parser.add_argument("--more", type=int, default=100, help="that are timed")
    parser.add_argument("--rungs", type=int, default=3, help="1: every network to the end")
    parser.add_argument("--run", type=Path, help="keep the run folder here")
    arguments = parser.parse_args()
    print(header_line())
    step_s = _step_seconds()
    print(f"a step of the quick profile on E-RFDN: {step_s * 1e3:.1f} ms")
    path = RESULTS / "search_overhead.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    found = {key: value for key, value in earlier.items() if key.endswith("rungs")}
    folder = arguments.run or Path(tempfile.mkdtemp())
    timed = _Timed(folder, arguments.rungs)
    timed.search(arguments.trials)
    timed.forget()
    timed.search(arguments.trials + arguments.more)
    found[f"{arguments.rungs} rungs"] = timed.figures(arguments.trials, arguments.more, step_s)
    print(f"written to {write_result('search_overhead', {'goals': GOALS, **found})}")


def _step_seconds() -> float:
    """Seconds a step of the quick recipe on E-RFDN (433 K parameters), validation left out."""
    space = Space.load("distillation")
    arch = space.architecture(space.starting_points["e_rfdn"])
    trainer = NetworkTrainer.of(make_settings(), "cpu")
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        trainer.advance(
            arch,
            40,
            checkpoint=Path(folder) / "a.pt",
            on_step=lambda step, loss, so_far: seconds.append(so_far),
        )
    return statistics.median(np.diff(seconds[10:]).tolist())


class _Timed:
    """A search whose trainer takes no time, and the times of its parts."""

    def __init__(self, folder: Path, rungs: int) -> None:
        self._folder, self._rungs = folder, rungs
        self._trainer = MadeUp(self._settings(1).rung_steps)
        self.forget()

    def forget(self) -> None:
        self._asked_s: list[float] = []
        self._events_s: list[float] = []
        self._trainer.steps = 0

    def search(self, trials: int) -> None:
        settings, propose = self._settings(trials), Plan.propose

        def timed(plan: Plan, standing: Standing) -> Any:
            began = time.perf_counter()
            found = propose(plan, standing)
            self._asked_s.append(time.perf_counter() - began)
            return found

        Plan.propose = timed  # type: ignore[assignment,method-assign]
        try:
            run_search(
                settings,
                lambda event: self._events_s.append(time.perf_counter()),
                trainer=self._trainer,
                meter=Prices(settings.budgets, settings.hr),
            )
        finally:
            Plan.propose = propose  # type: ignore[method-assign]

    def figures(self, trials: int, more: int, step_s: float) -> dict[str, float]:
        overhead_s = self._events_s[-1] - self._events_s[0]
        found = {
            "trials_before": trials,
            "networks": more,
            "steps": self._trainer.steps,
            "share_of_all_steps": self._trainer.steps / (more * profile("quick").steps),
            "step_ms": step_s * 1e3,
            "overhead_ms_a_network": overhead_s / more * 1e3,
            "overhead_share": overhead_s / (self._trainer.steps * step_s),
            "ask_ms": statistics.median(self._asked_s) * 1e3,
            "ask_ms_90_percent": float(np.quantile(self._asked_s, 0.9)) * 1e3,
        }
        for name, value in found.items():
            print(f"{name:>24}  {value:.4g}")
        return found

    def _settings(self, trials: int) -> SearchSettings:
        return make_settings(
            ["600K-params"], trials=trials, rungs=self._rungs, run=self._folder / "run"
        )


if __name__ == "__main__":
    main()
