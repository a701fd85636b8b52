"""What each search has found after how much training, replayed on the recorded table's grid.

    python -m benchmarks.search_efficiency --moasha-python /tmp/syne-tune/bin/python

Ours with several rung settings and without early stopping, Optuna's samplers as they come with
every network trained to the end, random search, and Syne Tune's MOASHA (in an environment of
its own, see benchmarks/replay/syne_tune_moasha.py; left out where none is given). Beside them the
bound of a regression that knows all other networks' figures from the first step on. Every search
is for PSNR against parameters, with the same seeds. Only networks trained to the end count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.replay import knowing, ours, plain_optuna
from benchmarks.replay.history import Finish, Yardstick
from benchmarks.table.contents import FOLDER, RECIPE, RUNG_STEPS, grid
from benchmarks.table.table import Table, load_table
from nas.explore.halving import rung_steps
from nas.explore.settings import DEFAULT_CANDIDATES, DEFAULT_ETA, DEFAULT_RUNGS

NETWORKS = 40
"""Networks that a search without early stopping trains: what "the full search" has found."""
COST = "params"
REACHED = 0.98

_AT = np.arange(0, NETWORKS * RECIPE.steps + 1, 80)


@dataclass(frozen=True, slots=True)
class Ours:
    """Settings of a search of ours; those left out are the defaults."""

    rungs: int = DEFAULT_RUNGS
    eta: float = DEFAULT_ETA
    candidates: int = DEFAULT_CANDIDATES
    sampler: str = "tpe"

    @property
    def networks(self) -> int:
        """More than it can look at for the steps of the full search."""
        first, most = rung_steps(RECIPE.steps, self.rungs, self.eta)[0], len(list(grid()))
        return min(most, int(_AT[-1]) // first)


OURS: Mapping[str, Ours] = {
    "ours (2 rungs, eta 2, 4 candidates)": Ours(),
    "ours, 8 candidates": Ours(candidates=8),
    "ours, 1 candidate": Ours(candidates=1),
    "ours, 1 rung": Ours(rungs=1),
    "ours, 1 rung, 1 candidate": Ours(rungs=1, candidates=1),
    "ours, eta 3": Ours(eta=3),
    "ours, 3 rungs, eta 3": Ours(rungs=3, eta=3),
    "ours, random": Ours(sampler="random"),
}
BOUND = "bound: knows all other networks"
"""No search: see benchmarks/replay/knowing.py."""
MOASHA: Mapping[str, tuple[tuple[int, ...], int]] = {
    "MOASHA (2 rungs, eta 2)": (rung_steps(RECIPE.steps, 2, 2), 2),
    "MOASHA (3 rungs, eta 2)": (rung_steps(RECIPE.steps, 3, 2), 2),
    "MOASHA (2 rungs, eta 3)": (rung_steps(RECIPE.steps, 2, 3), 3),
    "MOASHA (3 rungs, eta 3)": (rung_steps(RECIPE.steps, 3, 3), 3),
}

_DRAWN = (
    *plain_optuna.SAMPLERS,
    *(name for name, one in OURS.items() if one in (Ours(), Ours(candidates=1), Ours(rungs=1))),
    *(name for name in MOASHA if name.endswith("eta 2)")),
    BOUND,
)

Replay = Callable[[int], list[Finish]]


def main() -> None:
    """Replays everything, prints a table, writes CSV, JSON and a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument(
        "--first-seed", type=int, default=100, help="below it are those that defaults were tried on"
    )
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--moasha-python", type=Path, default=None)
    parser.add_argument("--only", default="", help="methods whose name holds this")
    arguments = parser.parse_args()
    print(header_line())
    table = load_table()
    yardstick = Yardstick(table, COST)
    curves: dict[str, npt.NDArray[np.float64]] = {}
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for name, replay in _methods(table).items():
        if arguments.only in name:
            began = time.perf_counter()
            with ProcessPoolExecutor(arguments.processes) as pool:
                found = list(pool.map(replay, seeds))
            curves[name] = np.array([yardstick.curve(one, _AT) for one in found])
            _say(name, curves[name], time.perf_counter() - began)
    if arguments.moasha_python is not None:
        for name, (rungs, eta) in MOASHA.items():
            if arguments.only in name:
                found = _moasha(arguments.moasha_python, rungs, eta, seeds)
                curves[name] = np.array([yardstick.curve(one, _AT) for one in found])
                _say(name, curves[name], 0.0)
    if not arguments.only:
        _write(curves)


def _methods(table: Table) -> dict[str, Replay]:
    methods: dict[str, Replay] = {}
    for name in plain_optuna.SAMPLERS:
        methods[name] = partial(_plain, table, name)
    for name, one in OURS.items():
        methods[name] = partial(_ours, table, one)
    methods[BOUND] = partial(_bound, table)
    return methods


def _bound(table: Table, seed: int) -> list[Finish]:
    return knowing.replay(table, COST, NETWORKS)


def _plain(table: Table, sampler: str, seed: int) -> list[Finish]:
    return plain_optuna.replay(table, sampler, COST, NETWORKS, seed)


def _ours(table: Table, one: Ours, seed: int) -> list[Finish]:
    return ours.replay(table, one.networks, seed, "", **asdict(one))


def _moasha(python: Path, rungs: tuple[int, ...], eta: int, seeds: range) -> list[list[Finish]]:
    assert set(rungs) <= set(RUNG_STEPS)
    task = {
        "folder": str(FOLDER),
        "dimensions": ["family", "attention", "stages", "blocks", "channels"],
        "rungs": rungs,
        "eta": eta,
        "cost": COST,
        "networks": NETWORKS,
        "steps": int(_AT[-1]),
        "seeds": list(seeds),
    }
    script = Path(__file__).parent / "replay" / "syne_tune_moasha.py"
    done = subprocess.run(
        [str(python), str(script), json.dumps(task)], stdout=subprocess.PIPE, check=True, text=True
    )
    return [[Finish(*one) for one in json.loads(line)] for line in done.stdout.splitlines()]


def _say(name: str, curves: npt.NDArray[np.float64], seconds: float) -> None:
    mean, spread = curves[:, -1].mean(), curves[:, -1].std()
    quarter = curves[:, len(_AT) // 4].mean()
    print(
        f"{name:>32}  final {mean:.4f} +- {spread:.4f}, at a quarter {quarter:.4f}  "
        f"{seconds:.0f} s",
        flush=True,
    )


def _steps_to(curves: npt.NDArray[np.float64], share: float) -> int | None:
    reached = np.flatnonzero(curves.mean(axis=0) >= share)
    return int(_AT[reached[0]]) if reached.size else None


def _write(curves: dict[str, npt.NDArray[np.float64]]) -> None:
    plain = {name: curves[name] for name in plain_optuna.SAMPLERS if name.startswith("Optuna")}
    best = max(plain, key=lambda name: float(plain[name][:, -1].mean()))
    full = float(plain[best][:, -1].mean())
    goal = REACHED * full
    whole = int(_AT[-1])
    print(f"the full search: {best}, {NETWORKS} networks, {whole} steps, {full:.4f}")
    print(f"steps until the mean over the seeds is {REACHED:.0%} of that:")
    rows = {}
    for name, values in curves.items():
        steps = _steps_to(values, goal)
        rows[name] = {
            "final": float(values[:, -1].mean()),
            "final_sd": float(values[:, -1].std(ddof=1)),
            "steps_to_goal": steps,
            "share_of_full_search": None if steps is None else steps / whole,
        }
        shown = "never" if steps is None else f"{steps:6d}, {steps / whole:.1%} of the full search"
        print(f"{name:>32}  {shown}")
    ours_name, moasha = next(iter(OURS)), [name for name in curves if name in MOASHA]
    if moasha:
        rival = max(moasha, key=lambda name: float(curves[name][:, -1].mean()))
        level = REACHED * float(curves[rival][:, -1].mean())
        own, its = (_steps_to(curves[name], level) for name in (ours_name, rival))
        print(f"{REACHED:.0%} of what {rival} has at the end: {own} steps, and {its} for it")
        rows[ours_name]["steps_to_moashas_level"] = own
        rows[rival]["steps_to_moashas_level"] = its
    frame = pd.concat(
        pd.DataFrame(
            {"method": name, "steps": _AT, "mean": values.mean(0), "sd": values.std(0, ddof=1)}
        )
        for name, values in curves.items()
    )
    frame.round(5).to_csv(RESULTS / "search_efficiency.csv", index=False)
    figures = {
        "seeds": len(next(iter(curves.values()))),
        "full_search": {"method": best, "networks": NETWORKS, "steps": whole, "share": full},
        "goal_share": goal,
        "methods": rows,
    }
    print(f"written to {write_result('search_efficiency', figures)}")
    _draw(curves, goal)


def _draw(curves: dict[str, npt.NDArray[np.float64]], goal: float) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for name in (name for name in curves if name in _DRAWN):
        values = curves[name]
        mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
        (line,) = axes.plot(_AT, mean, label=name, lw=2 if name.startswith("ours") else 1.2)
        axes.fill_between(_AT, mean - spread, mean + spread, color=line.get_color(), alpha=0.12)
    axes.axhline(goal, color="0.4", ls=":", lw=1)
    axes.set_xlabel("training steps of the whole search")
    axes.set_ylabel("hypervolume, share of the whole table's")
    axes.set_ylim(0.6, 1.005)
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(RESULTS / "search_efficiency.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
