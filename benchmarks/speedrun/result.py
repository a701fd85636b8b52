"""Curves and times made into shares, and drawn."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pandas as pd
import torch

from benchmarks.hardware import RESULTS
from benchmarks.speedrun.cases import GOALS, LONG, SHORT, arms, cases, fresh
from benchmarks.speedrun.curves import CSV
from nas.training.loop import train

__all__ = ["draw", "steps_to", "summary", "time_steps"]


def time_steps(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of a training step, one thread: the arms in turns, medians, by network."""
    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    for name, scale, arch in cases():
        ready = {label: fresh(arch, arm, 0) for label, arm in arms().items()}
        times: dict[str, list[float]] = {label: [] for label in ready}
        for turn in range(rounds + 3):
            for label, (state, patches, recipe) in ready.items():
                began = time.perf_counter()
                train(state, patches, recipe, state.step + 4)
                if turn >= 3:
                    times[label].append((time.perf_counter() - began) / 4 * 1000)
        key = f"{name} x{scale}"
        found[key] = {label: round(statistics.median(some), 3) for label, some in times.items()}
        print(f"{key}: {found[key]} ms a step", flush=True)
    return found


def steps_to(curves: pd.DataFrame, quality_db: float) -> float:
    """Steps until the mean over seeds reaches a quality, in a straight line between marks."""
    mean = curves.groupby("step")["psnr_y_db"].mean()
    reached = mean[mean >= quality_db]
    if reached.empty:
        return float("nan")
    after = int(reached.index[0])
    before = mean.index[mean.index < after]
    if before.empty:
        return float(after)
    low, high = mean[before[-1]], mean[after]
    return float(before[-1] + (after - before[-1]) * (quality_db - low) / (high - low))


def summary(times: dict[str, dict[str, float]]) -> dict[str, Any]:
    """For each network what was reached, and after what share of the steps and seconds."""
    table, rows = pd.read_csv(CSV), {}
    for (name, scale), some in table.groupby(["network", "scale"], sort=False):
        key = f"{name} x{scale}"
        by = dict(iter(some.groupby("recipe")))
        if not {"before", "now"} <= by.keys():
            continue
        row: dict[str, Any] = {"ms_a_step": times.get(key)}
        price_of_step = times[key]["now"] / times[key]["before"] if key in times else float("nan")
        for label, steps in [("before", s) for s in GOALS] + [("field", LONG)]:
            if label not in by:
                continue
            goal_db = float(by[label].query(f"step == {steps}")["psnr_y_db"].mean())
            needed = steps_to(by["now"], goal_db)
            row[f"{label}_{steps}"] = {
                "psnr_y_db": round(goal_db, 3),
                "steps": round(needed, 1),
                "share_of_steps": round(needed / steps, 3),
                "share_of_seconds": round(needed / steps * price_of_step, 3),
            }
        rows[key] = row
    medians = {}
    for goal in (f"before_{SHORT}", f"before_{LONG}", f"field_{LONG}"):
        shares = [row[goal]["share_of_seconds"] for row in rows.values() if goal in row]
        if shares:
            medians[goal] = {"median": statistics.median(shares), "most": max(shares)}
    return {"networks": rows, "share_of_seconds": medians, "goals": GOALS}


def draw() -> None:
    """The curves of every network, a panel each."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    table = pd.read_csv(CSV)
    groups = list(table.groupby(["network", "scale"], sort=False))
    columns = 5
    figure, axes = plt.subplots(
        -(-len(groups) // columns), columns, figsize=(15, 8.4), layout="constrained"
    )
    colors = {"before": "C7", "field": "C1", "now": "C0"}
    for ax in axes.flat[len(groups) :]:
        ax.set_visible(False)
    for ax, ((name, scale), some) in zip(axes.flat, groups, strict=False):
        for label, curves in some.groupby("recipe"):
            for seed, one in curves.groupby("seed"):
                text = label if seed == 0 else None
                ax.plot(one["step"], one["psnr_y_db"], color=colors[str(label)], lw=1.2, label=text)
        # What lies below the input's enlargement says nothing.
        floor = float(some.query("recipe == 'before' and step >= 60")["psnr_y_db"].min())
        ax.set_ylim(bottom=floor)
        ax.set_title(f"{name} x{scale}", fontsize=9)
        ax.tick_params(labelsize=7)
    axes.flat[0].legend(fontsize=8, loc="lower right")
    figure.supxlabel("training steps of 8 patches of 24x24 LR pixels")
    figure.supylabel("PSNR-Y on validation photos, dB")
    figure.savefig(RESULTS / "speedrun.png", dpi=130)
    plt.close(figure)
