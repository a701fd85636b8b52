"""The networks, the recipes and the photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from benchmarks.research_data import research_data
from nas.data import Patches, Photo
from nas.data.aligned import centre
from nas.data.folder import read_folder
from nas.training.first_weights import set_first_weights
from nas.training.recipe import Recipe, profile
from nas.training.state import TrainState, seeded, start
from search_spaces import Architecture, Space, build, preset

__all__ = ["GOALS", "LONG", "SEEDS", "SHORT", "Arm", "arms", "cases", "fresh", "networks", "photos"]

LONG, SHORT = 2000, 480
"""The steps of the recipe before, whose quality is to be reached."""
GOALS = {SHORT: 0.25, LONG: 0.40}
"""In what share of the time."""
SEEDS = (0, 1)
_CROP_PX, _VALIDATION = 192, 20


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
        for name, arch in networks(scale).items():
            if wanted is None or name in wanted:
                yield name, scale, arch


def networks(scale: int) -> dict[str, Architecture]:
    """By name, without image skip."""
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
    del span["mean"], span["restored"]
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
    base = research_data() / "train"
    t91 = read_folder(base / "T91", min_side_px=scale * 24).photos
    bsd = read_folder(base / "BSD200", min_side_px=_CROP_PX).photos
    middles = (centre(one, _CROP_PX, scale) for one in bsd[-_VALIDATION:])
    return (*t91, *bsd[:-_VALIDATION]), tuple(middles)


def skipped(arch: Architecture, image_skip: str) -> Architecture:
    """The network with an image skip."""
    return Architecture.from_dict(arch.to_dict() | {"image_skip": image_skip})


def fresh(arch: Architecture, arm: Arm, seed: int) -> tuple[TrainState, Patches, Recipe]:
    """Step 0 of a training, and what it is trained on."""
    recipe = arm.recipe.replace(seed=seed)
    train_photos, _ = photos(arch.scale)
    patches = Patches.of(train_photos, arch.scale, recipe)
    network = seeded(lambda: build(skipped(arch, arm.image_skip)), seed)
    set_first_weights(network, patches, recipe)
    return start(network, recipe), patches, recipe
