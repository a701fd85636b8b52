"""Optuna's samplers as they come, every network trained to the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optuna import create_study
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from benchmarks.replay.history import Finish
from benchmarks.table.contents import RECIPE, table_space
from benchmarks.table.table import Table
from nas.store.study import quietly

__all__ = ["SAMPLERS", "replay"]

SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "Optuna TPE": lambda seed: TPESampler(seed=seed),
    "Optuna TPE, multivariate": lambda seed: TPESampler(seed=seed, multivariate=True, group=True),
    "Optuna NSGA-II": lambda seed: NSGAIISampler(seed=seed, population_size=20),
    "random": lambda seed: RandomSampler(seed=seed),
}


def replay(table: Table, sampler: str, cost: str, trials: int, seed: int) -> list[Finish]:
    """A study of (PSNR, cost); a network that comes again is looked up and costs nothing."""
    space = table_space()
    names = [d.name for d in space.dimensions]
    found = {tuple(row[name] for name in names): row for _, row in table.final.iterrows()}
    quietly()
    study = create_study(directions=["maximize", "minimize"], sampler=SAMPLERS[sampler](seed))
    finishes: list[Finish] = []
    seen: set[str] = set()
    for _ in range(100 * trials):
        if len(finishes) == trials:
            break
        trial = study.ask()
        point = {}
        for d in space.dimensions:
            if d.choices:
                point[d.name] = trial.suggest_categorical(d.name, d.labels)
            else:
                low, high = d.grid[0], d.grid[-1]
                point[d.name] = trial.suggest_int(d.name, low, high, step=d.grid[1] - low)
        row = found[tuple(point[name] for name in names)]
        study.tell(trial, [float(row.psnr_y_db), float(row[cost])])
        if row.hash not in seen:
            seen.add(row.hash)
            finishes.append(Finish(len(seen) * RECIPE.steps, row.hash))
    return finishes
