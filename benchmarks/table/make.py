"""Trains what the table lacks, and writes it down.

    python -m benchmarks.table.make              # goes on where it stopped
    python -m benchmarks.table.make --pack       # trainings.csv.gz and networks.csv.gz
    python -m benchmarks.table.make --scores     # zero-cost scores of all networks
    python -m benchmarks.table.make --latency    # times all networks, on a machine left alone

Any number of these may run side by side: each training is done by one of them.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from benchmarks.hardware import header_line
from benchmarks.table.contents import (
    FOLDER,
    RECIPE,
    Training,
    bands,
    grid,
    photos,
    plan,
)
from benchmarks.table.table import read_table
from nas.data import Dataset
from nas.explore.trainer import NetworkTrainer
from nas.latency.network_time import measure_latency
from nas.locks import locked
from nas.predictor import ZERO_COST
from nas.records import Rung
from nas.training.loop import Diverged
from search_spaces import Architecture, build, price
from search_spaces.files import atomic_path

__all__ = ["main", "train_one"]

_LATENCY_LR = (90, 160)
_MEASURED = {"scores": ZERO_COST, "latency": ("latency_ms", "latency_min_ms")}


def main() -> None:
    """Trains until everything is there, or the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=Path, default=FOLDER / "parts", help="a file a training")
    parser.add_argument("--minutes", type=float, default=None, help="start nothing after these")
    parser.add_argument("--pack", action="store_true", help="write the table from the parts")
    parser.add_argument("--scores", action="store_true", help="score every network untrained")
    parser.add_argument("--latency", action="store_true", help="time every network")
    arguments = parser.parse_args()
    arguments.parts.mkdir(exist_ok=True)
    unpack(arguments.parts)
    if arguments.pack:
        pack(arguments.parts)
    elif arguments.scores:
        score_all(arguments.parts)
    elif arguments.latency:
        time_all(arguments.parts)
    else:
        fill(arguments.parts, arguments.minutes)


def fill(parts: Path, minutes: float | None) -> None:
    """Does the trainings of the plan that nobody has done or is doing."""
    torch.set_num_threads(1)
    dataset, began, trainings = photos(), time.monotonic(), plan()
    print(f"{header_line()}\n{len(trainings)} trainings, photos {dataset.fingerprint}", flush=True)
    for number, training in enumerate(trainings, start=1):
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            print("time is up")
            return
        path = parts / f"{training.name}.csv"
        with locked(path.with_suffix(".lock"), wait=False) as mine:
            if not mine or _steps_in(path) >= training.recipe.steps:
                continue
            rows = train_one(training, dataset, path.with_suffix(".pt"))
            with atomic_path(path) as temporary:
                rows.to_csv(temporary, index=False)
        last = rows.iloc[-1]
        print(
            f"{number}/{len(trainings)}  {training.name}  {price(training.architecture).params:,} "
            f"parameters  {last.psnr_y_db:.3f} dB after {last.step} steps  {last.seconds:.1f} s",
            flush=True,
        )


def train_one(training: Training, dataset: Dataset, checkpoint: Path) -> pd.DataFrame:
    """A row for each rung; once it has diverged for good, rows without figures."""
    arch, seed, rows = training.architecture, training.seed, []
    # What was left of it has lost its rungs.
    checkpoint.unlink(missing_ok=True)
    trainer, began, diverged = NetworkTrainer(dataset, training.recipe), time.perf_counter(), False
    for step in training.rungs:
        rung = Rung(step, math.nan, math.nan, math.nan)
        if not diverged:
            try:
                rung = trainer.advance(arch, step, checkpoint=checkpoint, on_step=_untold)
            except Diverged:
                diverged = True
        wall = time.perf_counter() - began
        rows.append({"hash": arch.hash, "seed": seed, **asdict(rung), "wall_seconds": wall})
    checkpoint.unlink(missing_ok=True)
    return pd.DataFrame(rows).round({"psnr_y_db": 5, "ssim_y": 6, "wall_seconds": 3})


def _untold(step: int, loss: float, seconds: float) -> None:
    return None


def score_all(parts: Path) -> None:
    """The zero-cost scores of every network on the first batch."""
    torch.set_num_threads(1)
    dataset = photos()
    trainer = NetworkTrainer(dataset, RECIPE)
    rows = [{"hash": arch.hash, **trainer.scores(arch)} for _, arch in _networks()]
    with atomic_path(parts / "scores.csv") as temporary:
        pd.DataFrame(rows).round(5).to_csv(temporary, index=False)


def time_all(parts: Path) -> None:
    """Latency of every network at 160x90 on one thread, in rounds, so that all meet the same."""
    torch.set_num_threads(1)
    architectures = [arch for _, arch in _networks()]
    measured = measure_latency([build(a) for a in architectures], lr_size=_LATENCY_LR, threads=1)
    rows = [
        {"hash": a.hash, "latency_ms": m.latency_ms, "latency_min_ms": m.latency_min_ms}
        for a, m in zip(architectures, measured, strict=True)
    ]
    with atomic_path(parts / "latency.csv") as temporary:
        pd.DataFrame(rows).round(4).to_csv(temporary, index=False)


def unpack(parts: Path) -> None:
    """Lays out what the table holds already, so that it is not trained again."""
    shipped = FOLDER / "trainings.csv.gz"
    if not shipped.exists():
        return
    for (arch_hash, seed), rows in read_table(shipped).groupby(["hash", "seed"], sort=False):
        path = parts / f"{arch_hash}-{seed}.csv"
        if _steps_in(path) < rows["step"].max():
            with atomic_path(path) as temporary:
                rows.to_csv(temporary, index=False)
    shipped_networks = read_table(FOLDER / "networks.csv.gz")
    for name, columns in _MEASURED.items():
        path = parts / f"{name}.csv"
        if not path.exists() and set(columns) <= set(shipped_networks):
            with atomic_path(path) as temporary:
                shipped_networks[["hash", *columns]].to_csv(temporary, index=False)


def pack(parts: Path) -> None:
    """Writes the two files of the table from what is there."""
    wanted = {training.name for training in plan()}
    files = [path for path in sorted(parts.glob("*-*.csv")) if path.stem in wanted]
    trainings = pd.concat([read_table(path) for path in files], ignore_index=True)
    trainings["rate_factor"] = trainings["rate_factor"].fillna(1.0)
    rows = []
    for point, arch in _networks():
        prices = price(arch)
        rows.append(
            {
                "hash": arch.hash,
                **point,
                "params": prices.params,
                "macs": prices.macs,
                "activations": prices.activations,
            }
        )
    table = pd.DataFrame(rows)
    for name in _MEASURED:
        path = parts / f"{name}.csv"
        if path.exists():
            table = table.merge(read_table(path), on="hash", how="left")
    for name, frame in (("trainings", trainings), ("networks", table)):
        with atomic_path(FOLDER / f"{name}.csv.gz") as temporary:
            # Without a time stamp, equal tables are equal files.
            frame.to_csv(temporary, index=False, compression={"method": "gzip", "mtime": 0})
    print(f"{len(table)} networks, {len(files)} trainings, {trainings.hash.nunique()} trained")


def _networks() -> Iterator[tuple[dict[str, Any], Architecture]]:
    """What is told of each beside its hash and prices, and the network."""
    for point, arch in grid():
        yield {"band": 0, **point, "architecture": json.dumps(arch.to_dict())}, arch
    for band, drawn in bands().items():
        for arch in drawn:
            yield {"band": band, "architecture": json.dumps(arch.to_dict())}, arch


def _steps_in(path: Path) -> int:
    return int(read_table(path)["step"].max()) if path.exists() else 0


if __name__ == "__main__":
    main()
