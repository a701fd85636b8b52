"""Steps and seconds to a quality: today's recipe against the one before and against the field's.

    SR_DATA=path/to/data python -m benchmarks.speedrun               # goes on where it stopped
    SR_DATA=path/to/data python -m benchmarks.speedrun --time        # a step of each, in turns
    python -m benchmarks.speedrun --summary                          # table, picture, result

Networks as different as they come train on T91 and BSD200, apart from its last 20 photos, which
judge. ``before`` is what the quick profile was until the first release: Adam at 1e-3, a bilinear
image skip, random first weights, a running average of the weights with decay 0.98. ``field`` is
Adam at 2e-4 without image skip or average, as IMDN's authors train, on the same batches (theirs
have eight times the pixels). ``now`` is the quick profile, with the image skip of the default
space, its steps prolonged.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import torch

from benchmarks.hardware import RESULTS
from nas.data import Patches, Photo
from nas.data.folder import read_folder
from nas.evaluate.first_weights import set_first_weights
from nas.evaluate.recipe import Recipe, profile
from nas.evaluate.state import TrainState, seeded, start, trainable
from nas.evaluate.train import Diverged, train
from nas.evaluate.validate import validate
from nas.locks import locked
from search_spaces import Architecture, Space, build, preset
from search_spaces.files import atomic_path

CSV = RESULTS / "speedrun.csv"
_PARTS = RESULTS.parent / "table" / "parts"
LONG, SHORT = 2000, 480
"""The steps of the recipe before, whose quality is to be reached."""
GOALS = {SHORT: 0.25, LONG: 0.40}
SEEDS = (0, 1)
_CROP_PX, _VALIDATION = 192, 20
_MARKS = (*range(30, 241, 30), *range(280, 481, 40), *range(560, LONG + 1, 80))


@dataclass(frozen=True)
class Arm:
    """A way to train.

    Attributes:
        recipe: of it.
        image_skip: which the networks get.
        decay: of a running average of the weights in place of the recipe's.
        seeds: how many.
    """

    recipe: Recipe
    image_skip: str
    decay: float | None = None
    seeds: int = len(SEEDS)


@cache
def arms() -> dict[str, Arm]:
    """The three ways, each in steps of the same batches."""
    before = Recipe(steps=LONG, batch=8, lr_size=24, learning_rate=1e-3, warmup_steps=40)
    field = before.replace(learning_rate=2e-4, warmup_steps=0, averaged_share=0, clip_norm=None)
    return {
        "before": Arm(before, "bilinear", decay=0.98),
        "now": Arm(profile("quick").replace(steps=880), "linear"),
        "field": Arm(field, "none", seeds=1),
    }


def cases() -> Iterator[tuple[str, int, Architecture]]:
    """Name, scale and network without image skip."""
    for scale, wanted in ((4, None), (2, ("e_rfdn", "span", "plain", "deep", "15K"))):
        for name, arch in _networks(scale).items():
            if wanted is None or name in wanted:
                yield name, scale, arch


def _networks(scale: int) -> dict[str, Architecture]:
    space = Space.load("distillation")

    def narrowed(name: str, channels: int) -> Architecture:
        point = {**space.starting_points[name], "channels": channels}
        plain = space.architecture(point, scale).to_dict()
        return Architecture.from_dict({k: v for k, v in plain.items() if k != "image_skip"})

    def trunk(channels: int, blocks: int, stages: int, **options: object) -> Architecture:
        block = {
            "kind": "distillation", "repeat": blocks, "stages": stages, "distillation": "none",
            "residual": options.get("residual", "output"),
        }  # fmt: skip
        return Architecture.from_dict(
            {
                "scale": scale, "channels": channels, "fusion": "chain", "blocks": [block],
                "activation": options.get("activation", "leaky_relu"),
            }
        )  # fmt: skip

    span = preset("span", scale=scale).to_dict() | {"channels": 16, "value_range": 1}
    del span["mean"]
    return {
        "e_rfdn": narrowed("e_rfdn", 16),
        "rlfn": narrowed("rlfn", 16),
        "imdn": narrowed("imdn", 16),
        "mrdn": narrowed("mrdn", 16),
        "span": Architecture.from_dict(span),
        "plain": trunk(16, 4, 5),
        # Without a residual in its blocks.
        "deep": trunk(16, 9, 2, residual="fuse", activation="relu"),
        "15K": trunk(12, 1, 5),
        "400K": narrowed("e_rfdn", 48),
    }


@cache
def photos(scale: int) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """To train on and to judge by."""
    base = Path(os.environ.get("SR_DATA", RESULTS.parents[1] / ".." / "shared" / "data")) / "train"
    t91 = read_folder(base / "T91", min_side_px=scale * 24).photos
    bsd = read_folder(base / "BSD200", min_side_px=_CROP_PX).photos
    return (*t91, *bsd[:-_VALIDATION]), tuple(_centre(one) for one in bsd[-_VALIDATION:])


def _centre(photo: Photo) -> Photo:
    top, left = (photo.height - _CROP_PX) // 2, (photo.width - _CROP_PX) // 2
    return Photo(photo.name, photo.pixels[top : top + _CROP_PX, left : left + _CROP_PX].copy())


def skipped(arch: Architecture, image_skip: str) -> Architecture:
    """The network with an image skip."""
    return Architecture.from_dict(arch.to_dict() | {"image_skip": image_skip})


def fresh(arch: Architecture, arm: Arm, seed: int) -> tuple[TrainState, Patches, Recipe]:
    """Step 0 of a training, and what it is trained on."""
    recipe = arm.recipe.replace(seed=seed)
    train_photos, _ = photos(arch.scale)
    patches = Patches(
        train_photos, arch.scale, lr_size=recipe.lr_size, batch=recipe.batch, seed=seed
    )
    network = seeded(lambda: build(skipped(arch, arm.image_skip)), seed)
    set_first_weights(network, patches, recipe)
    return start(network, recipe), patches, recipe


def curve(arch: Architecture, arm: Arm, seed: int) -> list[tuple[int, float]]:
    """Steps and PSNR-Y (dB) on the judging photos; it ends early where it diverges."""
    state, patches, recipe = fresh(arch, arm, seed)
    averages = [torch.zeros_like(one) for one in trainable(state.network)]

    def judged() -> float:
        network = state.averaged()
        if arm.decay is not None and state.step:
            worth = 1 - arm.decay**state.step
            for one, mean in zip(network.parameters(), averages, strict=True):
                one.copy_(mean / worth)
        return validate(network, photos(arch.scale)[1], arch.scale).psnr_y_db

    def average(step: int, loss: float) -> None:
        if arm.decay is not None:
            with torch.no_grad():
                torch._foreach_lerp_(averages, trainable(state.network), 1 - arm.decay)

    found = [(0, judged())]
    for mark in (one for one in _MARKS if one <= recipe.steps):
        try:
            train(state, patches, recipe, mark, on_step=average)
        except Diverged as error:
            print(f"  {error.reason}")
            break
        found.append((mark, judged()))
    return found


def fill() -> None:
    """Does the trainings that nobody has done or is doing."""
    torch.set_num_threads(1)
    _PARTS.mkdir(exist_ok=True)
    for label, arm in arms().items():
        for name, scale, arch in cases():
            for seed in SEEDS[: arm.seeds]:
                key = f"{name} x{scale} {label} {seed}"
                with locked(_PARTS / f"speedrun {key}.lock", wait=False) as mine:
                    if not mine or _has(name, scale, label, seed):
                        continue
                    rows = [
                        (name, scale, label, seed, step, round(psnr, 4))
                        for step, psnr in curve(arch, arm, seed)
                    ]
                    _append(rows)
                print(f"{key}: {rows[-1][-1]:.3f} dB after {rows[-1][-2]} steps", flush=True)


_COLUMNS = ["network", "scale", "recipe", "seed", "step", "psnr_y_db"]


def _has(*key: object) -> bool:
    if not CSV.exists():
        return False
    table = pd.read_csv(CSV)
    return bool((table[_COLUMNS[:4]] == list(key)).all(axis=1).any())


def _append(rows: list[tuple[object, ...]]) -> None:
    with locked(_PARTS / "speedrun.lock", wait=True):
        table = pd.DataFrame(rows, columns=_COLUMNS)
        if CSV.exists():
            table = pd.concat([pd.read_csv(CSV), table], ignore_index=True)
        with atomic_path(CSV) as temporary:
            table.to_csv(temporary, index=False)


def time_steps(rounds: int = 25) -> dict[str, dict[str, float]]:
    """Milliseconds of a training step, one thread: the arms in turns, medians."""
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
        found[f"{name} x{scale}"] = {
            label: round(statistics.median(some), 3) for label, some in times.items()
        }
        print(f"{name} x{scale}: {found[f'{name} x{scale}']}", flush=True)
    return found


if __name__ == "__main__":
    fill()
