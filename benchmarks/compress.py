"""E-RFDN x4 pruned to 300K parameters: what distilled fine-tuning brings, against three others.

    nas import RFDN_AIM.pth --preset e_rfdn -o e_rfdn.safetensors
    python -m benchmarks.compress --network e_rfdn.safetensors --data TRAIN \
        --set Set5=DIR --set Set14=DIR [--arms distilled plain scratch uniform]

Four arms, each with the same number of steps on the same patches in the same order:

- ``distilled``: pruned by importance, refitted, fine-tuned with the unpruned network as teacher;
- ``plain``: the same pruned network, the same fine-tuning without a teacher;
- ``scratch``: the same architecture from fresh weights, at the step size of a full training;
- ``uniform``: the usual recipe of torch-pruning, one ratio for all layers and l1 norms, to the
  same budget, with the fine-tuning of ``plain``.

TRAIN holds photos in T91 and BSD200; the last 20 of BSD200 by name are for validation, on which
the recipe was chosen. The test sets are measured on once an arm has ended, and never chose
anything. An arm that is stopped goes on with the same command; those that have ended are kept.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from benchmarks.hardware import RESULTS, header, header_line
from compress.distill import MIMICRY, Teaching
from compress.finetune import finetune, forget, psnr_of
from compress.prune import Method, prune
from nas.data import Dataset
from nas.data.folder import read_folder
from nas.evaluate.benchmark import TestSet, evaluate_set
from nas.evaluate.upscale import upscale
from nas.training.recipe import Recipe
from nas.training.state import seeded
from search_spaces import Network, build, load, price, save_weights
from search_spaces.files import atomic_path

ARMS = ("distilled", "plain", "scratch", "uniform")
BUDGET = 300_000
VALIDATION = 20
LESSONS = MIMICRY
RECIPE = Recipe(steps=2000, batch=8, lr_size=24, learning_rate=5e-4, warmup_steps=50)
SCRATCH_LEARNING_RATE = 1e-3
PRUNED = Method("lamp", refit=True)
UNIFORM = Method("l1", uniform=True, refit=False)


def photos(folder: Path) -> Dataset:
    """All photos of the folder but the last 20 of BSD200, which are for validation."""
    read = read_folder(folder, min_side_px=96).photos
    held_out = [photo for photo in read if photo.name.startswith("BSD200/")][-VALIDATION:]
    names = {photo.name for photo in held_out}
    train = tuple(photo for photo in read if photo.name not in names)
    return Dataset("T91 + BSD200", 4, train, {"validation": tuple(held_out)}, "t91-bsd200", {})


def start_of(arm: str, teacher: Network, dataset: Dataset, folder: Path) -> Network:
    """The network that an arm trains; pruned ones are kept in the folder."""
    method = UNIFORM if arm == "uniform" else PRUNED
    path = folder / f"{method.importance}.safetensors"
    if not path.is_file():
        save_weights(prune(teacher, "params", BUDGET, method, dataset=dataset).network, path)
    network = load(path)
    if arm != "scratch":
        return network
    return seeded(lambda: build(network.architecture), 0).eval()


def quality(network: Network, sets: list[TestSet]) -> dict[str, dict[str, float]]:
    """PSNR-Y and SSIM-Y by the papers' protocol."""
    found = {}
    for one in sets:
        measured = evaluate_set(lambda lr: upscale(network, lr, 4), one)
        found[one.name] = {"psnr_y_db": measured.psnr_y_db, "ssim_y": measured.ssim_y}
    return found


def run_arm(
    arm: str, teacher: Network, dataset: Dataset, sets: list[TestSet], recipe: Recipe, folder: Path
) -> dict[str, Any]:
    """Trains one arm and measures it before and after."""
    network = start_of(arm, teacher, dataset, folder)
    if arm == "scratch":
        recipe = recipe.replace(learning_rate=SCRATCH_LEARNING_RATE)
    teaching = Teaching((teacher,), LESSONS) if arm == "distilled" else None
    checkpoint = folder / arm

    def tell(step: int, loss: float) -> None:
        if step % 100 == 0:
            print(f"{arm} {step}/{recipe.steps} {loss:.5f}", flush=True)

    tuned = finetune(
        network, dataset, recipe, teaching=teaching, checkpoint=checkpoint, on_step=tell
    )
    save_weights(tuned.network, folder / f"{arm}.safetensors")
    found = {
        "params": price(network.architecture).params,
        "recipe": recipe.model_dump(mode="json"),
        "untrained": quality(network, sets),
        "trained": quality(tuned.network, sets),
        "validation_before_db": tuned.before_db,
        "validation_after_db": tuned.after_db,
        "made_with": header(),
    }
    forget(checkpoint)
    return found


def verdicts(arms: dict[str, Any], unpruned: dict[str, Any]) -> dict[str, Any]:
    """How far the distilled arm is ahead of each other one, dB on every set."""
    if "distilled" not in arms:
        return {}
    ours = arms["distilled"]["trained"]
    others = {name: arm["trained"] for name, arm in arms.items() if name != "distilled"}
    return {
        f"distilled against {name}": {
            which: round(ours[which]["psnr_y_db"] - other[which]["psnr_y_db"], 3) for which in ours
        }
        for name, other in {"unpruned": unpruned, **others}.items()
    }


def named(text: str) -> tuple[str, Path]:
    """NAME=PATH in two."""
    name, _, path = text.partition("=")
    return name, Path(path)


def main() -> None:
    """Runs what has not ended yet, and writes results/compress.json after every arm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", dest="sets", type=named, action="append", required=True)
    parser.add_argument("--arms", nargs="*", choices=ARMS, default=ARMS)
    parser.add_argument("--steps", type=int, default=RECIPE.steps)
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmark-compress"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(header_line())
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    recipe = RECIPE.replace(steps=arguments.steps)
    teacher, dataset = load(arguments.network), photos(arguments.data)
    sets = [TestSet.open(name, path, 4) for name, path in arguments.sets]
    reference = folder / "unpruned.json"
    if not reference.is_file():
        found = {"params": price(teacher.architecture).params, "trained": quality(teacher, sets),
                 "validation_after_db": psnr_of(teacher, dataset)}  # fmt: skip
        write_json(reference, found)
    for arm in arguments.arms:
        path = folder / f"{arm}.json"
        if not path.is_file():
            write_json(path, run_arm(arm, teacher, dataset, sets, recipe, folder))
        # Arms may run in processes of their own: what the others have ended is read anew.
        ended = {name: read_json(folder / f"{name}.json") for name in ARMS}
        arms = {name: one for name, one in ended.items() if one is not None}
        unpruned = read_json(reference)
        assert unpruned is not None
        ahead = verdicts(arms, unpruned["trained"])
        write_json(
            RESULTS / "compress.json",
            {
                "made_with": header(), "steps": recipe.steps, "budget_params": BUDGET,
                "lessons": repr(LESSONS), "unpruned": unpruned, "arms": arms, "ahead_db": ahead,
            },
        )  # fmt: skip
        print(arm, json.dumps(arms[arm]["trained"]), json.dumps(ahead, indent=1), flush=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """The content as a file, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a file, if it is there."""
    return json.loads(path.read_text()) if path.is_file() else None


if __name__ == "__main__":
    main()
