"""The network that a search found within RFDN's price against the papers' networks, trained alike.

    nas search --space distillation --budget 549624-params --budget 31128890112-macs \
        --budget 110592360-activations --objectives psnr --data TRAIN --val VALIDATION --run SEARCH
    nas latency A.yaml B.yaml imdn e_rfdn rlfn --reference rfdn --json > LATENCY.json
    python -m benchmarks.winner --work WORK --finalists A.yaml B.yaml --search SEARCH \
        --latency LATENCY.json

Every row is trained by the same recipe on T91 and BSD200 (the last 20 of BSD200 by name are for
validation), with the same seeds, and evaluated on Set5 and Set14, which nothing was chosen on: of
the search's finalists, ours is the one with the highest PSNR-Y on the validation photos.
The space of the search adds the bilinearly enlarged input to every network, which the papers'
networks do without; the row `rfdn + image skip` shows what that alone is worth. Each training
leaves its checkpoint and its result in WORK: a run that is stopped goes on, and rows may be
trained by several processes (--rows).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.hardware import RESULTS, header, header_line, write_result
from nas.data import Dataset, load_dataset
from nas.data.places import PhotoPlaces
from nas.evaluate.benchmark import TestSet, evaluate_set
from nas.evaluate.upscale import upscale
from nas.explore.trainer import NetworkTrainer
from nas.run import open_run
from nas.training.recipe import Recipe
from search_spaces import Architecture, load, preset, price
from search_spaces.files import atomic_path

PAPERS = ("rfdn", "imdn", "e_rfdn", "rlfn")
SKIPPED = "rfdn + image skip"
FINALIST = "finalist"
GOAL_DB = 0.05
SCALE = 4
HELD_OUT = 20
SEEDS = (0, 1)
RECIPE = Recipe(
    steps=1500,
    batch=8,
    lr_size=24,
    # That of RFDN's and RLFN's authors.
    learning_rate=5e-4,
    schedule="cosine",
    warmup_steps=50,
    averaged_share=0.03,
)


def rows(finalists: list[Path]) -> dict[str, Architecture]:
    """What is trained, by name."""
    networks = {name: preset(name, SCALE) for name in PAPERS}
    skipped = preset("rfdn", SCALE).to_dict() | {"image_skip": "bilinear"}
    networks[SKIPPED] = Architecture.from_dict(skipped)
    for path in finalists:
        networks[f"{FINALIST} {path.stem}"] = Architecture.load(path)
    return networks


@contextmanager
def research_folders(data: Path) -> Iterator[tuple[Path, Path]]:
    """(train, validation): T91 and BSD200 in one folder, the last 20 of BSD200 in another."""
    with tempfile.TemporaryDirectory() as place:
        folders = Path(place) / "T91+BSD200", Path(place) / "BSD200-last20"
        for folder in folders:
            folder.mkdir()
        bsd = sorted((data / "train" / "BSD200").glob("*.*"))
        t91 = sorted((data / "train" / "T91").glob("*.*"))
        for folder, files in zip(folders, ([*bsd[:-HELD_OUT], *t91], bsd[-HELD_OUT:]), strict=True):
            for file in files:
                (folder / f"{file.parent.name}_{file.name}").symlink_to(file.resolve())
        yield folders


def trained(
    name: str, arch: Architecture, recipe: Recipe, dataset: Dataset, data: Path, work: Path
) -> dict[str, Any]:
    """One training and its evaluation, from the work folder where it is there already."""
    stem = f"{name.replace(' ', '_')}-{recipe.steps}-{recipe.seed}"
    path = work / f"{stem}.json"
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        if found["hash"] == arch.hash and found["recipe"] == recipe.model_dump(mode="json"):
            return found
    trainer, checkpoint = NetworkTrainer(dataset, recipe), work / f"{stem}.pt"
    done = trainer.advance(
        arch, recipe.steps, checkpoint=checkpoint, on_step=lambda step, loss, seconds: None
    )
    weights = work / f"{stem}.safetensors"
    trainer.save_weights(arch, checkpoint, weights)
    network = load(weights)
    sets = {
        one: evaluate_set(
            lambda lr: upscale(network, lr, SCALE, colors=arch.colors),
            TestSet.open(one, data / "test" / one, SCALE),
        )
        for one in ("Set5", "Set14")
    }
    figures = {
        "network": name,
        "seed": recipe.seed,
        "hash": arch.hash,
        "recipe": recipe.model_dump(mode="json"),
        "data": dataset.fingerprint,
        "validation_db": done.psnr_y_db,
        **{one: {"psnr_y_db": q.psnr_y_db, "ssim_y": q.ssim_y} for one, q in sets.items()},
        "train_seconds": round(done.seconds, 1),
        "made_with": header(),
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(figures, indent=2) + "\n")
    trainer.forget(checkpoint)
    return figures


def table(networks: dict[str, Architecture], found: list[dict[str, Any]]) -> dict[str, Any]:
    """Price, and mean and spread over the seeds, of every row."""
    made: dict[str, Any] = {}
    for name, arch in networks.items():
        own = [one for one in found if one["network"] == name and one["hash"] == arch.hash]
        cost = price(arch)
        made[name] = {
            "params": cost.params, "macs": cost.macs, "activations": cost.activations,
            "image_skip": arch.image_skip.to_plain(), "seeds": sorted(one["seed"] for one in own),
        }  # fmt: skip
        for figure in ("Set5", "Set14", "validation_db"):
            values = [one[figure] if figure[0] == "v" else one[figure]["psnr_y_db"] for one in own]
            if values:
                made[name][figure] = {
                    "mean_db": statistics.mean(values),
                    "spread_db": max(values) - min(values),
                    "each_db": values,
                }
    return made


def show(made: dict[str, Any]) -> None:
    """The table on standard output."""
    for name, row in made.items():
        shown = "  ".join(
            f"{one} {row[one]['mean_db']:.3f} ± {row[one]['spread_db'] / 2:.3f}"
            for one in ("Set5", "Set14")
            if one in row
        )
        print(f"{name:>18}  {row['params'] / 1e3:6.1f} K  {row['macs'] / 1e9:5.2f} G  {shown}")


def main() -> None:
    """Runs what is missing and writes the result after each training."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and results")
    parser.add_argument("--finalists", type=Path, nargs="*", default=[], help="the search's best")
    parser.add_argument("--search", type=Path, help="its run folder, to be told of in the result")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--rows", nargs="*", help="only these")
    parser.add_argument("--steps", type=int, default=RECIPE.steps)
    parser.add_argument("--data", type=Path, default=os.environ.get("SR_DATA", "../shared/data"))
    parser.add_argument("--latency", type=Path, help="JSON of `nas latency --json`, to be kept")
    arguments = parser.parse_args()
    data, work = Path(arguments.data), arguments.work
    networks = rows(arguments.finalists)
    recipe = RECIPE.stretched(arguments.steps)
    print(header_line(), flush=True)
    with research_folders(data) as (train, validation):
        dataset = load_dataset(SCALE, PhotoPlaces.of(train, validation), lr_size=recipe.lr_size)
    for seed in arguments.seeds:
        for name in arguments.rows if arguments.rows is not None else networks:
            one = trained(name, networks[name], recipe.replace(seed=seed), dataset, data, work)
            print(f"{name}, seed {seed}: Set5 {one['Set5']['psnr_y_db']:.3f} dB", flush=True)
            report(networks, recipe, work, arguments.latency, arguments.search)
    report(networks, recipe, work, arguments.latency, arguments.search)
    print(f"written to {RESULTS / 'winner.json'}")


def report(
    networks: dict[str, Architecture],
    recipe: Recipe,
    work: Path,
    latency: Path | None,
    search: Path | None,
) -> None:
    """Gathers what the work folder holds and writes the result."""
    files = sorted(work.glob(f"*-{recipe.steps}-*.json"))
    found = [json.loads(path.read_text()) for path in files]
    made = table(networks, found)
    show(made)
    figures: dict[str, Any] = {
        "about": (
            "The space of the search adds the bilinearly enlarged input to every network; the "
            "papers' networks have no such skip. 'rfdn + image skip' is RFDN with it: its "
            "difference to rfdn is the skip's merit, the difference of ours to it the search's."
        ),
        "recipe": recipe.model_dump(mode="json"),
        "goal_db": GOAL_DB,
        "rows": made,
        "trainings": [{k: v for k, v in one.items() if k != "made_with"} for one in found],
    }
    if search is not None:
        figures["search"] = told(search)
    if latency is not None:
        figures["latency"] = json.loads(latency.read_text())
    judged = {n: row for n, row in made.items() if n.startswith(FINALIST) and "Set5" in row}
    if judged:
        ours = max(judged, key=lambda name: judged[name]["validation_db"]["mean_db"])
        figures["ours"] = {"row": ours, "architecture": networks[ours].to_dict()}
        for base in ("rfdn", SKIPPED):
            figures[f"ours - {base} [dB]"] = gains = {
                one: made[ours][one]["mean_db"] - made[base][one]["mean_db"]
                for one in ("Set5", "Set14")
                if one in made[base]
            }
            print(f"ours ({ours}) - {base}: {gains}")
    write_result("winner", figures)


def told(search: Path) -> dict[str, Any]:
    """What the search did: its settings, and what its networks were worth to it."""
    run = open_run(search)
    trials = [record for record in run.records() if record.psnr_y_db is not None]
    return {
        "settings": {k: v for k, v in run.about["identity"].items() if k != "recipe"},
        "networks_trained": len(trials),
        "networks_wanted": run.about["trials"],
        "proxy_db": {f"{r.number} {r.preset or ''}".strip(): r.psnr_y_db for r in trials},
    }


if __name__ == "__main__":
    main()
