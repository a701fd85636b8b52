"""What a search costs beside its trainings: scheduler, sampler, store and tables.

    python -m benchmarks.search_overhead
    python -m benchmarks.search_overhead --rungs 1

Searches with a trainer that trains nothing and makes its figures up, in a SQLite store; copies
the networks under other names until there are a thousand; and then times further ones: all that
these take is overhead. It is compared with the time that their training steps would have taken
under the quick profile, measured beside it on E-RFDN, a network in the middle of the budget.
Asking for the next candidate is timed by itself. With ``--rungs 1`` every network is trained to
the end. With ``--run`` the filled store is kept, and used again. Processor time beside wall time
tells whether the machine did something else meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from optuna import load_study
from optuna.trial import create_trial

from benchmarks.hardware import RESULTS, header_line, write_result
from nas.explore.events import Event
from nas.explore.plan import Plan
from nas.explore.search import run_search
from nas.explore.settings import DEFAULT_RUNGS, SearchSettings, make_settings
from nas.explore.trainer import NetworkTrainer, OnStep, Photos
from nas.latency.meter import Prices
from nas.records import Rung
from nas.run import open_run
from nas.store.ledger import ROOT, Ledger, Standing
from nas.store.study import open_storage
from nas.training.recipe import profile
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
    parser.add_argument("--searched", type=int, default=200, help="networks before any copies")
    parser.add_argument("--trials", type=int, default=1000, help="networks with the copies")
    parser.add_argument("--more", type=int, default=40, help="that are timed")
    parser.add_argument(
        "--rungs", type=int, default=DEFAULT_RUNGS, help="1: every network to the end"
    )
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
    # A store that is there already is used as it is.
    if not (folder / "run").exists():
        timed.search(arguments.searched)
    trials = timed.copy(arguments.trials)
    timed.forget()
    timed.search(10 * trials, arguments.more)
    found[f"{arguments.rungs} rungs"] = timed.figures(trials, arguments.more, step_s)
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
        self._asked_cpu_s: list[float] = []
        self._events_s: list[tuple[float, float]] = []
        self._trainer.steps = 0

    def search(self, trials: int, ask: int | None = None) -> None:
        """Searches for so many networks, or until so many were asked for."""
        settings, propose = self._settings(trials), Plan.propose

        def timed(plan: Plan, standing: Standing) -> Any:
            began, began_cpu = time.perf_counter(), time.process_time()
            found = propose(plan, standing)
            self._asked_s.append(time.perf_counter() - began)
            self._asked_cpu_s.append(time.process_time() - began_cpu)
            return found

        def watch(event: Event) -> None:
            self._events_s.append((time.perf_counter(), time.process_time()))
            if ask is not None and len(self._asked_s) > ask:
                raise KeyboardInterrupt

        Plan.propose = timed  # type: ignore[assignment,method-assign]
        try:
            run_search(
                settings,
                watch,
                trainer=self._trainer,
                meter=Prices(settings.budget, settings.hr),
            )
        except KeyboardInterrupt:
            if ask is None:
                raise
        finally:
            Plan.propose = propose  # type: ignore[method-assign]

    def copy(self, trials: int) -> int:
        """Adds copies of the networks under other names until there are so many in all."""
        run = open_run(self._folder / "run")
        study = load_study(study_name=run.about["study"], storage=open_storage(run.storage))
        standing = Ledger(study).read()
        originals = [t for t in study.get_trials() if t.user_attrs.get("rungs")]
        count, taken = standing.trained, len(study.trials)
        while count < trials:
            numbers = {trial.number: taken + k for k, trial in enumerate(originals)}
            for trial in originals:
                attrs = trial.user_attrs
                name = f"{attrs['architecture_hash'][:8]}{taken:08x}"
                root = attrs.get(ROOT)
                more = {} if root is None else {ROOT: numbers.get(root, root)}
                study.add_trial(
                    create_trial(
                        state=trial.state,
                        values=trial.values,
                        params=trial.params,
                        distributions=trial.distributions,
                        user_attrs={**attrs, "architecture_hash": name, **more},
                        system_attrs=trial.system_attrs,
                    )
                )
            taken += len(originals)
            count = Ledger(study).read().trained
        return count

    def figures(self, trials: int, more: int, step_s: float) -> dict[str, float]:
        first, last = self._events_s[0], self._events_s[-1]
        overhead_s, overhead_cpu_s = last[0] - first[0], last[1] - first[1]
        found = {
            "trials_before": trials,
            "networks": more,
            "steps": self._trainer.steps,
            "share_of_all_steps": self._trainer.steps / (more * profile("quick").steps),
            "step_ms": step_s * 1e3,
            "overhead_ms_a_network": overhead_s / more * 1e3,
            "overhead_cpu_ms_a_network": overhead_cpu_s / more * 1e3,
            "load_average": os.getloadavg()[0],
            "overhead_share": overhead_s / (self._trainer.steps * step_s),
            "ask_ms": statistics.median(self._asked_s) * 1e3,
            "ask_cpu_ms": statistics.median(self._asked_cpu_s) * 1e3,
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
