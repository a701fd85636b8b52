"""The best of 100 networks under a narrowed E-RFDN's price against narrowed designs, trained alike.

    SR_DATA=path/to/data python -m benchmarks.narrowed --run RUN     # goes on where it stopped

The budgets are the parameters and multi-adds of E-RFDN at 16 channels with the linear image skip.
The search trains by the quick profile on T91 and BSD200 apart from its last 20 photos, which judge.
Then its six best and the rivals, the published designs at the width nearest to these parameters,
train for five times as long with two seeds that the search did not have. Ours is the one of the
six that is best on the photos that judged the search; all are compared on 50 photos of BSDS500
that were never looked at. What is trained is kept in RUN.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import RESULTS, header_line, write_result
from benchmarks.research_data import research_data
from benchmarks.table.contents import CROP_PX, LONG, SCALE, photos
from nas.data import Dataset, Photo
from nas.data.aligned import centre
from nas.data.folder import read_folder
from nas.evaluate.validate import validate
from nas.explore.events import Event, TrialEnded
from nas.explore.search import run_search
from nas.explore.settings import make_settings
from nas.explore.trainer import NetworkTrainer
from nas.locks import locked
from nas.records import FINISHED
from nas.run import Run
from nas.training.recipe import Recipe
from search_spaces import Architecture, Space, load, price
from search_spaces.files import atomic_path

REFERENCE, REFERENCE_CHANNELS = "e_rfdn", 16
RIVALS = ("e_rfdn", "rfdn", "imdn", "rlfn")
NETWORKS, FINALISTS, SEEDS = 100, 6, (3, 4)
UNSEEN = 50
GOAL_DB = 0.06


def main() -> None:
    """Searches, trains what is missing, and tells what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="run folder of the search")
    parser.add_argument("--trials", type=int, default=NETWORKS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line(), flush=True)
    reference = narrowed(REFERENCE, REFERENCE_CHANNELS)
    limits = price(reference)
    dataset, unseen = photos(), unseen_photos()
    run = searched(arguments.run, arguments.trials, dataset, limits.params, limits.macs)
    trained = [record for record in run.records() if record.state == FINISHED]
    best = sorted(trained, key=lambda record: -(record.psnr_y_db or 0.0))[:FINALISTS]
    networks = {
        f"ours {record.number}": Architecture.from_dict(dict(record.architecture))
        for record in best
    }
    networks |= {name: nearest(name, limits.params) for name in RIVALS}
    for seed in SEEDS:
        for name, arch in networks.items():
            if grown(arguments.run, name, arch, LONG.replace(seed=seed), dataset, unseen):
                tell(arguments.run, networks, run)
    tell(arguments.run, networks, run)
    print(f"written to {RESULTS / 'narrowed.json'}")


def narrowed(name: str, channels: int) -> Architecture:
    """A published design of the default space with its image skip, at a width."""
    space = Space.load("distillation")
    return space.architecture({**space.starting_points[name], "channels": channels}, SCALE)


def nearest(name: str, params: int) -> Architecture:
    """The width whose parameters are nearest, be it a little beyond the budgets of ours."""
    widths = next(d.grid for d in Space.load("distillation").filling if d.name == "channels")
    some = [narrowed(name, int(channels)) for channels in widths if channels <= 48]
    return min(some, key=lambda arch: abs(price(arch).params - params))


def unseen_photos() -> tuple[Photo, ...]:
    """The centres of 50 photos of BSDS500, none of which is among the others."""
    found = read_folder(research_data() / "train" / "BSDS500T", min_side_px=CROP_PX).photos[:UNSEEN]
    return tuple(centre(photo, CROP_PX, SCALE) for photo in found)


def searched(folder: Path, trials: int, dataset: Dataset, params: int, macs: int) -> Run:
    """The search, or what is left of it."""
    settings = make_settings(
        [f"{params}-params", f"{macs}-macs"],
        objectives="psnr",
        scale=SCALE,
        trials=trials,
        run=folder,
        seed=0,
    )
    return run_search(settings, told, trainer=NetworkTrainer(dataset, settings.recipe))


def grown(
    folder: Path,
    name: str,
    arch: Architecture,
    recipe: Recipe,
    dataset: Dataset,
    unseen: tuple[Photo, ...],
) -> bool:
    """Trains one for longer, unless it is done or another process does it."""
    stem = folder / "grown" / f"{arch.hash}-{recipe.seed}"
    stem.parent.mkdir(exist_ok=True)
    path, weights = stem.with_suffix(".json"), stem.with_suffix(".safetensors")
    with locked(stem.with_suffix(".lock"), wait=False) as mine:
        if not mine or path.exists():
            return False
        trainer, checkpoint = NetworkTrainer(dataset, recipe), stem.with_suffix(".pt")
        rung = trainer.advance(
            arch, recipe.steps, checkpoint=checkpoint, on_step=lambda step, loss, seconds: None
        )
        trainer.save_weights(arch, checkpoint, weights)
        figures = {
            "validation_db": rung.psnr_y_db,
            "unseen_db": validate(load(weights), unseen, SCALE).psnr_y_db,
            "seconds": rung.seconds,
            "rate_factor": rung.rate_factor,
        }
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(figures, indent=2) + "\n")
        trainer.forget(checkpoint)
    print(f"{name}, seed {recipe.seed}: {figures}", flush=True)
    return True


def tell(folder: Path, networks: dict[str, Architecture], run: Run) -> None:
    """Writes what is there so far, and prints it."""
    rows: dict[str, Any] = {}
    for name, arch in networks.items():
        files = sorted((folder / "grown").glob(f"{arch.hash}-*.json"))
        found = [json.loads(file.read_text()) for file in files]
        cost = price(arch)
        rows[name] = {
            "hash": arch.hash, "params": cost.params, "macs": cost.macs,
            "activations": cost.activations, "channels": arch.channels, "trainings": found,
        }  # fmt: skip
        for figure in ("validation_db", "unseen_db"):
            if found:
                rows[name][figure] = round(statistics.mean(one[figure] for one in found), 4)
    done = {name: row for name, row in rows.items() if len(row["trainings"]) == len(SEEDS)}
    ours = max(
        (name for name in done if name.startswith("ours")),
        key=lambda name: float(done[name]["validation_db"]),
        default=None,
    )
    trained = [one.psnr_y_db for one in run.records() if one.psnr_y_db is not None]
    figures: dict[str, Any] = {
        "networks": len(run.records()),
        "finished": len(trained),
        "rows": rows,
        "ours": ours,
        "goal_db": GOAL_DB,
    }
    if ours is not None:
        figures["architecture"] = networks[ours].to_dict()
        figures["ahead_db"] = {
            name: round(done[ours]["unseen_db"] - row["unseen_db"], 4)
            for name, row in done.items()
            if not name.startswith("ours")
        }
        print(f"{ours} is ahead by {figures['ahead_db']} dB; goal {GOAL_DB}", flush=True)
    write_result("narrowed", figures)


def told(event: Event) -> None:
    """A line for each network of a search."""
    if isinstance(event, TrialEnded):
        record, rung = event.record, event.record.last_rung
        worth = "" if rung is None else f"{rung.psnr_y_db:.3f} dB at step {rung.step}"
        print(f"{record.number}  {record.state}  {record.params:,} parameters  {worth}", flush=True)


if __name__ == "__main__":
    main()
