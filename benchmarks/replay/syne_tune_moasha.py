"""Syne Tune's MOASHA on the table; runs in an environment of its own.

    python3 -m venv /tmp/syne-tune && /tmp/syne-tune/bin/pip install syne-tune==0.16
    /tmp/syne-tune/bin/python benchmarks/replay/syne_tune_moasha.py '{"...": ...}'

Takes one JSON argument and prints one JSON list of [steps, hash] a seed. It imports nothing of
the project, since syne-tune's requirements are its own. MOASHA has one sign for all metrics,
so PSNR goes in negated; it knows no constraints.
"""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import numpy as np
import pandas as pd
from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import choice
from syne_tune.optimizer.schedulers.multiobjective.moasha import MOASHA


def replay(
    networks: pd.DataFrame, psnr: dict[tuple[str, int], float], task: dict[str, Any], seed: int
) -> list[tuple[int, str]]:
    """One search: networks one after the other, each until MOASHA stops it or its end."""
    np.random.seed(seed)  # its configuration space draws from numpy's global numbers
    names, rungs, cost = task["dimensions"], task["rungs"], task["cost"]
    space = {name: choice(sorted(networks[name].unique().tolist())) for name in names}
    found = {tuple(row[name] for name in names): row for _, row in networks.iterrows()}
    scheduler = MOASHA(
        space,
        metrics=["negative_psnr", "cost"],
        time_attr="step",
        max_t=rungs[-1],
        grace_period=rungs[0],
        reduction_factor=task["eta"],
        random_seed=seed,
    )
    spent, finishes = 0, []
    seen: set[str] = set()
    for number in range(100 * task["networks"]):
        if spent >= task["steps"] or len(seen) == len(networks):
            break
        point = scheduler.suggest().config
        row = found[tuple(point[name] for name in names)]
        if row.hash in seen:
            continue
        seen.add(row.hash)
        trial = Trial(number, point, datetime.datetime.now())
        scheduler.on_trial_add(trial)
        before = 0
        for step in rungs:
            spent, before = spent + step - before, step
            result = {
                "step": step,
                "negative_psnr": -psnr[row.hash, step],
                "cost": float(row[cost]),
            }
            if step == rungs[-1]:
                scheduler.on_trial_complete(trial, result)
                finishes.append((spent, row.hash))
            elif scheduler.on_trial_result(trial, result) == "STOP":
                break
    return finishes


def main() -> None:
    """Reads the table and replays every seed of the task."""
    task = json.loads(sys.argv[1])
    # 6791952e04591443 would be read as a number that is infinite.
    networks, trainings = (
        pd.read_csv(f"{task['folder']}/{name}.csv.gz", dtype={"hash": str})
        for name in ("networks", "trainings")
    )
    trainings = trainings.query("seed == 0")
    psnr = dict(
        zip(
            zip(trainings["hash"].tolist(), trainings["step"].tolist(), strict=True),
            trainings["psnr_y_db"].tolist(),
            strict=True,
        )
    )
    networks = networks.query("band == 0")
    networks = networks[[(h, task["rungs"][-1]) in psnr for h in networks["hash"]]]
    for seed in task["seeds"]:
        print(json.dumps(replay(networks, psnr, task, seed)), flush=True)


if __name__ == "__main__":
    main()
