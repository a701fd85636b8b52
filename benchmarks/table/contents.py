"""What the table holds: which networks, trained how, on which photos."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.research_data import research_data
from nas.data import Dataset
from nas.data.aligned import centre
from nas.data.folder import read_folder
from nas.training.recipe import Recipe, profile
from search_spaces import Architecture, Space, price
from search_spaces.errors import InputError
from search_spaces.space import Point

__all__ = [
    "BANDS",
    "CROP_PX",
    "FOLDER",
    "LONG",
    "RECIPE",
    "RUNG_STEPS",
    "SCALE",
    "Training",
    "bands",
    "grid",
    "photos",
    "plan",
    "table_space",
]

FOLDER = Path(__file__).resolve().parent
SCALE = 4
RECIPE = profile("quick")
"""What a search trains by; a seed decides weights and batches, the same for every network."""
LONG = RECIPE.replace(steps=5 * RECIPE.steps, schedule="linear")
"""What a network becomes: five times as long, the step size falling to 0."""
RUNG_STEPS = (36, 40, 80, 107, 160, 240, 320)
"""The quick profile's steps halved, thirded and quartered again and again."""
CROP_PX = 192
"""Side of the centres of the validation photos that are validated on, HR pixels."""
BANDS = (15_000, 25_000)
"""Parameters about which networks as different as the default space allows are drawn."""
BAND = 0.05
"""By how much a network of a band may miss it."""

_VALIDATION = 20
# Of each band: so many networks, of which so many have three seeds, and so many two long trainings.
_DRAWN, _SEEDED, _LONG = 80, 30, 24
_SEEDS, _LONG_SEEDS = (0, 1, 2), (3, 4)


@dataclass(frozen=True, slots=True)
class Training:
    """One training: a network, a seed, short or long.

    The seeds of long trainings are others than those of short ones, so that what a short one
    tells of a long one is never luck that both share.
    """

    architecture: Architecture
    seed: int
    recipe: Recipe

    @property
    def name(self) -> str:
        """Names the training."""
        return f"{self.architecture.hash}-{self.seed}"

    @property
    def rungs(self) -> tuple[int, ...]:
        """The steps after which it is judged."""
        if self.recipe.steps == RECIPE.steps:
            return RUNG_STEPS
        return tuple(RECIPE.steps * k for k in range(2, self.recipe.steps // RECIPE.steps + 1))


@cache
def table_space() -> Space:
    """The space of the grid, in space.yaml."""
    return Space.load(FOLDER / "space.yaml")


def grid() -> Iterator[tuple[Point, Architecture]]:
    """Every point of the table's space and its network: what searches are replayed on."""
    space = table_space()
    filling = {d.name: d.grid for d in space.filling}
    for labels in space.combinations():
        for blocks in filling["blocks"]:
            for channels in filling["channels"]:
                point = {**labels, "blocks": blocks, "channels": channels}
                yield point, space.architecture(point, SCALE)


@cache
def bands() -> Mapping[int, tuple[Architecture, ...]]:
    """By band: networks of the default space, drawn at random, of nearly that many parameters."""
    space = Space.load("distillation")
    rng, found = random.Random(0), {}
    for wanted in BANDS:
        drawn: dict[str, Architecture] = {}
        while len(drawn) < _DRAWN:
            labels = space.choose(lambda d: rng.choice(d.labels))
            point = {**labels, **{d.name: rng.choice(d.grid) for d in space.filling}}
            # Depth is drawn, width follows.
            for channels in next(d.grid for d in space.filling if d.name == "channels"):
                arch = space.architecture({**point, "channels": channels}, SCALE)
                params = price(arch).params
                if params > wanted * (1 + BAND):
                    break
                if params >= wanted * (1 - BAND):
                    drawn.setdefault(arch.hash, arch)
                    break
        found[wanted] = tuple(drawn.values())
    return found


def plan() -> list[Training]:
    """Every training of the table, in an order in which any beginning is of use."""
    every = [arch for some in bands().values() for arch in some]
    seeded = [arch for some in bands().values() for arch in some[:_SEEDED]]
    long = [arch for some in bands().values() for arch in some[:_LONG]]
    short = {seed: RECIPE.replace(seed=seed) for seed in _SEEDS}
    first, *others = _SEEDS
    to_the_end, once_more = (
        [Training(arch, seed, LONG.replace(seed=seed)) for arch in long] for seed in _LONG_SEEDS
    )
    return [
        *(Training(arch, first, short[first]) for arch in seeded),
        *(Training(arch, first, short[first]) for _, arch in grid()),
        *to_the_end,
        *(Training(arch, first, short[first]) for arch in every if arch not in seeded),
        *once_more,
        *(Training(arch, seed, short[seed]) for seed in others for arch in seeded),
    ]


def photos() -> Dataset:
    """T91 and BSD200; the centres of the last 20 photos of BSD200 by name are validated on.

    ``SR_DATA`` names the folder that holds ``train/T91`` and ``train/BSD200``.

    Raises:
        InputError: no such folder.
    """
    base = research_data() / "train"
    side = SCALE * RECIPE.lr_size
    t91 = read_folder(base / "T91", min_side_px=side).photos
    bsd = read_folder(base / "BSD200", min_side_px=max(side, CROP_PX)).photos
    if len(bsd) <= _VALIDATION:
        raise InputError(f"{base / 'BSD200'}: expected over {_VALIDATION} photos, got {len(bsd)}")
    validation = tuple(centre(photo, CROP_PX, SCALE) for photo in bsd[-_VALIDATION:])
    train, sets = (*t91, *bsd[:-_VALIDATION]), {"validation": validation}
    digest = hashlib.sha256()
    for photo in (*train, *validation):
        digest.update(f"{photo.name} {photo.pixels.shape}".encode() + photo.pixels.tobytes())
    return Dataset("T91+BSD200", SCALE, train, sets, digest.hexdigest()[:16], {})
