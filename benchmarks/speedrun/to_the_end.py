"""With a schedule to the end: Adam at its best step size against the quick profile's optimisers.

    SR_DATA=path/to/data python -m benchmarks.speedrun.to_the_end        # goes on where it stopped
    python -m benchmarks.speedrun.to_the_end --summary

Adam has the linear image skip as well, from bicubic, falls along a cosine, and its step size is the
best of four after a fifth of the steps. ``now`` falls in a straight line: over as many steps, and
in a training of its own over 35% of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import torch

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.speedrun.cases import Arm, arms, networks
from benchmarks.speedrun.curves import curve
from nas.locks import locked
from search_spaces.files import atomic_path

CSV = RESULTS / "speedrun_to_the_end.csv"
SCALE, STEPS, TRIED, SHARE = 4, 10_000, 2_000, 0.35
NETWORKS = ("15K", "plain", "e_rfdn", "400K")
RATES = (5e-4, 1e-3, 2e-3, 4e-3)
_COLUMNS = ["network", "recipe", "steps", "step", "psnr_y_db"]


def main() -> None:
    """Trains what is missing, or tells what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--summary", action="store_true")
    arguments = parser.parse_args()
    print(header_line())
    if not arguments.summary:
        torch.set_num_threads(1)
        for name in NETWORKS:
            fill(name)
    figures = summary()
    for name, row in figures["networks"].items():
        print(name, row)
    print(f"written to {write_result('speedrun_to_the_end', figures)}")


def fill(name: str) -> None:
    """All trainings of a network that nobody has done or is doing; the tuned Adam last."""
    for label, arm in _arms(name):
        key = f"{name} {label} {arm.recipe.steps}"
        lock = RESULTS.parent / "table" / "parts" / f"to_the_end {key}.lock"
        lock.parent.mkdir(exist_ok=True)
        with locked(lock, wait=False) as mine:
            if not mine or _done(name, label, arm.recipe.steps):
                continue
            marks = [round(arm.recipe.steps * k / 10) for k in range(1, 11)]
            rows = [
                (name, label, arm.recipe.steps, step, round(psnr_y_db, 4))
                for step, psnr_y_db in curve(networks(SCALE)[name], arm, 0, marks)
            ]
            _append(rows)
        print(f"{key}: {rows[-1][-1]:.3f} dB", flush=True)


def _arms(name: str) -> Iterator[tuple[str, Arm]]:
    base = arms()["before"].recipe.replace(schedule="cosine", averaged_share=0.02)
    for rate in RATES:
        yield f"adam {rate:g}", Arm(base.replace(steps=TRIED, learning_rate=rate), "linear")
    now = arms()["now"].recipe.replace(schedule="linear", averaged_share=0.02)
    for steps in (round(SHARE * STEPS), STEPS):
        yield "now", Arm(now.replace(steps=steps), "linear")
    tried = {rate: _end_db(name, f"adam {rate:g}", TRIED) for rate in RATES}
    known = {rate: end_db for rate, end_db in tried.items() if end_db is not None}
    if len(known) == len(RATES):
        rate = max(known, key=lambda one: known[one])
        yield f"adam {rate:g}", Arm(base.replace(steps=STEPS, learning_rate=rate), "linear")


def summary() -> dict[str, Any]:
    """For each network with a tuned Adam at the end: who came how far."""
    rows: dict[str, Any] = {}
    table = pd.read_csv(CSV)
    for name in NETWORKS:
        ends = table.query("network == @name and step == steps")
        adam = ends[ends["recipe"].str.startswith("adam") & (ends["steps"] == STEPS)]
        now = ends[ends["recipe"] == "now"].set_index("steps")["psnr_y_db"]
        if adam.empty or len(now) < 2:
            continue
        adam_db = float(adam["psnr_y_db"].iloc[0])
        rows[name] = {
            "adam": adam["recipe"].iloc[0],
            "adam_db": adam_db,
            "now_short_db": float(now[round(SHARE * STEPS)]),
            "now_db": float(now[STEPS]),
            "reached": bool(now[round(SHARE * STEPS)] >= adam_db),
            "more_at_the_end_db": round(float(now[STEPS]) - adam_db, 4),
        }
    return {"steps": STEPS, "share": SHARE, "networks": rows}


def _end_db(name: str, label: str, steps: int) -> float | None:
    if not CSV.exists():
        return None
    row = pd.read_csv(CSV).query(
        "network == @name and recipe == @label and steps == @steps and step == @steps"
    )
    return None if row.empty else float(row["psnr_y_db"].iloc[0])


def _done(name: str, label: str, steps: int) -> bool:
    return _end_db(name, label, steps) is not None


def _append(rows: Sequence[tuple[object, ...]]) -> None:
    with locked(RESULTS.parent / "table" / "parts" / "to_the_end.lock", wait=True):
        table = pd.DataFrame(rows, columns=_COLUMNS)
        if CSV.exists():
            table = pd.concat([pd.read_csv(CSV), table], ignore_index=True)
        with atomic_path(CSV) as temporary:
            table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
