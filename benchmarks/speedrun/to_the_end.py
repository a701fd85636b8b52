"""With a schedule to the end: Adam at its best step size against the recipe `fast`.

    SR_DATA=path/to/data python -m benchmarks.speedrun.to_the_end        # goes on where it stopped
    python -m benchmarks.speedrun.to_the_end --summary

Adam has the linear image skip as well, from bicubic, falls along a cosine, and its step size is the
best after a fifth of the steps, sought uphill among five. ``fast`` is the recipe of that name, over
as many steps, and in a training of its own over 35% of them. In the CSV are also what was tried
before: ``fast without decay`` of Muon's filters, which 48 channels do not bear for 10,000 steps,
and ``now``, without a bound on how far wide filters move, which they do not bear for 3,500.
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
from nas.training.schedule import load_full_recipe
from search_spaces.files import atomic_path

CSV = RESULTS / "speedrun_to_the_end.csv"
SCALE, STEPS, TRIED, SHARE = 4, 10_000, 2_000, 0.35
NETWORKS = ("15K", "plain", "e_rfdn", "400K")
RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3)
FIRST_RATES = RATES[1:3]
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
    while (rate := _next_rate(name)) is not None:
        yield f"adam {rate:g}", Arm(base.replace(steps=TRIED, learning_rate=rate), "linear")
        if _end_db(name, f"adam {rate:g}", TRIED) is None:  # Somebody else is at it.
            break
    fast = load_full_recipe("fast", SCALE).phases[0]
    for steps in (round(SHARE * STEPS), STEPS):
        yield "fast", Arm(fast.replace(steps=steps), "linear")
    if _next_rate(name) is None:
        known = _tried(name)
        best = max(known, key=lambda one: known[one])
        yield f"adam {best:g}", Arm(base.replace(steps=STEPS, learning_rate=best), "linear")


def _next_rate(name: str) -> float | None:
    """The next step size to try: uphill from the middle, until both neighbours are worse."""
    known = _tried(name)
    for rate in FIRST_RATES:
        if rate not in known:
            return rate
    best = RATES.index(max(known, key=lambda one: known[one]))
    beside = RATES[max(best - 1, 0) : best + 2]
    return next((rate for rate in beside if rate not in known), None)


def _tried(name: str) -> dict[float, float]:
    ends = {rate: _end_db(name, f"adam {rate:g}", TRIED) for rate in RATES}
    return {rate: end_db for rate, end_db in ends.items() if end_db is not None}


def summary() -> dict[str, Any]:
    """For each network with a tuned Adam at the end: who came how far."""
    rows: dict[str, Any] = {}
    table = pd.read_csv(CSV)
    for name in NETWORKS:
        ends = table.query("network == @name and step == steps")
        adam = ends[ends["recipe"].str.startswith("adam") & (ends["steps"] == STEPS)]
        adam = adam.sort_values("psnr_y_db", ascending=False)
        ours = ends[ends["recipe"] == "fast"].set_index("steps")["psnr_y_db"]
        if adam.empty or len(ours) < 2:
            continue
        adam_db = float(adam["psnr_y_db"].iloc[0])
        rows[name] = {
            "adam": adam["recipe"].iloc[0],
            "adam_db": adam_db,
            "short_db": float(ours[round(SHARE * STEPS)]),
            "whole_db": float(ours[STEPS]),
            "reached": bool(ours[round(SHARE * STEPS)] >= adam_db),
            "more_at_the_end_db": round(float(ours[STEPS]) - adam_db, 4),
        }
    return {"steps": STEPS, "share": SHARE, "networks": rows}


def _end_db(name: str, label: str, steps: int) -> float | None:
    if not CSV.exists():
        return None
    rows = pd.read_csv(CSV).query("network == @name and recipe == @label and steps == @steps")
    # One that falls apart ends early.
    return None if rows.empty else float(rows.sort_values("step")["psnr_y_db"].iloc[-1])


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
