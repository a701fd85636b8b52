"""What a search costs beside its trainings: scheduler, sampler, store and tables.

    python -m benchmarks.search_overhead
    python -m benchmarks.search_overhead --rungs 1

Runs a whole search of a thousand networks with early stopping, in a SQLite store, with a
trainer that trains nothing and makes its figures up. All the time that this takes is overhead;
it is compared with the training time that the steps would have taken under the quick profile,
measured beside it on a network of the budget's middle. Asking for the next candidate is timed
by itself. With ``--rungs 1`` every network is trained to the end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hardware import RESULTS, header_line, write_result
from nas.evaluate.recipe import profile
from nas.explore.events import Event, TrialEnded, TrialPaused, TrialStarted
from nas.explore.meter import Prices
from nas.explore.plan import Plan
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.trainer import NetworkTrainer, OnStep, Photos
from nas.records import Rung
from search_spaces import Architecture, Space, price

GOALS = {"overhead_share": 0.02, "ask_ms": 100.0}
LAST = 100


class MadeUp:
    """Worth that follows from a network's price and hash; no step is trained."""

    photos = Photos("made up", "0" * 16)

    def __init__(self) -> None:
        self.steps = 0
        self._reached: dict[str, int] = {}

    def advance(
        self, architecture: Architecture, until_step: int, *, checkpoint: Path, on_step: OnStep
    ) -> Rung:
        name = architecture.hash
        self.steps += until_step - self._reached.get(name, 0)
        self._reached[name] = until_step
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
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--rungs", type=int, default=3, help="1: every network to the end")
    arguments = parser.parse_args()
    print(header_line())
    step_s = _step_seconds()
    print(f"a step of the quick profile on E-RFDN: {step_s * 1e3:.1f} ms")
    path = RESULTS / "search_overhead.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    found = {key: value for key, value in earlier.items() if key.endswith("rungs")}
    found[f"{arguments.rungs} rungs"] = _search(arguments.trials, arguments.rungs, step_s)
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


def _search(trials: int, rungs: int, step_s: float) -> dict[str, Any]:
    trainer, asked_s, ends = MadeUp(), list[float](), list[tuple[float, int]]()
    propose = Plan.propose

    def timed(self: Plan, standing: Any) -> Any:
        began = time.perf_counter()
        found = propose(self, standing)
        asked_s.append(time.perf_counter() - began)
        return found

    def watch(event: Event) -> None:
        if isinstance(event, TrialStarted | TrialPaused | TrialEnded):
            ends.append((time.perf_counter(), trainer.steps))

    with tempfile.TemporaryDirectory() as folder:
        settings = make_settings(["600K-params"], trials=trials, rungs=rungs, run=folder)
        Plan.propose = timed  # type: ignore[method-assign]
        try:
            run = run_search(
                settings, watch, trainer=trainer, meter=Prices(settings.budgets, settings.hr)
            )
        finally:
            Plan.propose = propose  # type: ignore[method-assign]
        states = [record.state for record in run.records()]
    training_s = trainer.steps * step_s
    wall_s = ends[-1][0] - ends[0][0]
    # The end of the search, where the study is full.
    from_s, from_steps = ends[-len(ends) // 10]
    last_s, last_steps = ends[-1][0] - from_s, ends[-1][1] - from_steps
    figures = {
        "networks": trials,
        "step_ms": step_s * 1e3,
        "finished": states.count("finished"),
        "stopped": states.count("stopped"),
        "steps": trainer.steps,
        "share_of_all_steps": trainer.steps / (trials * profile("quick").steps),
        "overhead_s": wall_s,
        "overhead_ms_a_network": wall_s / trials * 1e3,
        "overhead_share": wall_s / training_s,
        "overhead_share_of_the_last_tenth": last_s / (last_steps * step_s),
        "ask_ms": statistics.median(asked_s[-LAST:]) * 1e3,
        "ask_ms_90_percent": float(np.quantile(asked_s[-LAST:], 0.9)) * 1e3,
    }
    print(
        f"{rungs} rungs: {trials} networks, {figures['share_of_all_steps']:.0%} of all steps; "
        f"overhead {figures['overhead_ms_a_network']:.0f} ms a network, "
        f"{figures['overhead_share']:.2%} of the training time "
        f"({figures['overhead_share_of_the_last_tenth']:.2%} at the end); "
        f"asking takes {figures['ask_ms']:.0f} ms"
    )
    return figures


if __name__ == "__main__":
    main()
