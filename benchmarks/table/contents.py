"""What the table holds: which networks, trained how, on which photos."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from nas.data import Dataset, Photo
from nas.data.folder import read_folder
from nas.evaluate.recipe import Recipe
from search_spaces import Architecture, Space
from search_spaces.errors import InputError
from search_spaces.space import Point

__all__ = [
    "CROP_PX",
    "FOLDER",
    "LONG_STEPS",
    "RECIPE",
    "RUNG_STEPS",
    "SCALE",
    "Training",
    "networks",
    "photos",
    "plan",
    "table_space",
]

FOLDER = Path(__file__).resolve().parent
SCALE = 2
RECIPE = Recipe(steps=480, batch=8, lr_size=16, learning_rate=3e-3, warmup_steps=30, ema_decay=0.97)
"""The batches of a seed are the same for every network; a seed decides weights and batches."""
LONG_STEPS = 2400
RUNG_STEPS = (30, 53, 60, 120, 160, 240, 480, 1200, LONG_STEPS)
"""480 halved, thirded and quartered again and again, then the way to the long training's end."""
CROP_PX = 128
"""Side of the centres of the validation photos that are validated on, HR pixels."""

_VALIDATION = 20
# Of 60 networks with three seeds, 40 are trained long, 24 of these with two seeds.
_SEEDED, _SEEDS, _LONG, _LONG_TWICE = 60, 3, 40, 24


@dataclass(frozen=True, slots=True)
class Training:
    """One training: a network, a seed, and how many steps."""

    architecture: Architecture
    seed: int
    steps: int

    @property
    def name(self) -> str:
        """Names the training; a longer one goes on where the shorter one of its name ended."""
        return f"{self.architecture.hash}-{self.seed}"


@cache
def table_space() -> Space:
    """The space, in space.yaml."""
    return Space.load(FOLDER / "space.yaml")


def networks() -> Iterator[tuple[Point, Architecture]]:
    """Every point of the space and its network."""
    space = table_space()
    filling = {d.name: d.grid for d in space.filling}
    for labels in space.combinations():
        for blocks in filling["blocks"]:
            for channels in filling["channels"]:
                point = {**labels, "blocks": blocks, "channels": channels}
                yield point, space.architecture(point, SCALE)


def plan() -> list[Training]:
    """Every training of the table, in an order in which any beginning is of use.

    The networks with more seeds and longer trainings are drawn by their hash, evenly over
    the parameter count: first one seed of everything, then further seeds, then what is longer.
    """
    from search_spaces import price

    by_params = sorted((arch for _, arch in networks()), key=lambda a: (price(a).params, a.hash))
    seeded = [_drawn(part) for part in _parts(by_params, _SEEDED)]
    # Two of three, spread over the whole.
    long = [arch for i, arch in enumerate(seeded) if i % 3 != 1][:_LONG]
    twice = {arch.hash for i, arch in enumerate(long) if i % 5 in (0, 2, 4)}
    long_seeds = {arch.hash: 2 if arch.hash in twice else 1 for arch in long}
    assert len(twice) == _LONG_TWICE
    everything = sorted(by_params, key=lambda a: a.hash)
    wanted = [(0, everything)] + [(seed, seeded) for seed in range(1, _SEEDS)]
    short = [Training(a, seed, RECIPE.steps) for seed, archs in wanted for a in archs]
    return short + [
        Training(arch, seed, LONG_STEPS)
        for seed in range(_SEEDS)
        for arch in long
        if seed < long_seeds[arch.hash]
    ]


def photos() -> Dataset:
    """T91 and BSD200; the centres of the last 20 photos of BSD200 by name are validated on.

    ``SR_DATA`` names the folder that holds ``train/T91`` and ``train/BSD200``.

    Raises:
        InputError: no such folder.
    """
    base = Path(os.environ.get("SR_DATA", FOLDER.parents[1] / ".." / "shared" / "data")) / "train"
    side = SCALE * RECIPE.lr_size
    t91 = read_folder(base / "T91", min_side_px=side).photos
    bsd = read_folder(base / "BSD200", min_side_px=max(side, CROP_PX)).photos
    if len(bsd) <= _VALIDATION:
        raise InputError(f"{base / 'BSD200'}: expected over {_VALIDATION} photos, got {len(bsd)}")
    validation = tuple(_centre(photo) for photo in bsd[-_VALIDATION:])
    train = (*t91, *bsd[:-_VALIDATION])
    digest = hashlib.sha256()
    for photo in (*train, *validation):
        digest.update(f"{photo.name} {photo.pixels.shape}".encode() + photo.pixels.tobytes())
    return Dataset("T91+BSD200", SCALE, train, validation, digest.hexdigest()[:16], {})


def _centre(photo: Photo) -> Photo:
    top, left = (photo.height - CROP_PX) // 2, (photo.width - CROP_PX) // 2
    return Photo(photo.name, photo.pixels[top : top + CROP_PX, left : left + CROP_PX].copy())


def _parts(items: list[Architecture], count: int) -> list[list[Architecture]]:
    edges = [round(i * len(items) / count) for i in range(count + 1)]
    return [items[a:b] for a, b in pairwise(edges)]


def _drawn(part: list[Architecture]) -> Architecture:
    return min(part, key=lambda arch: hashlib.sha256(arch.hash.encode()).hexdigest())
