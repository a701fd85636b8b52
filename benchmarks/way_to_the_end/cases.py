"""The networks, the photos, and the ways to train that are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from benchmarks.narrowed import narrowed
from benchmarks.research_data import research_data
from benchmarks.speedrun.cases import networks, photos, skipped
from nas.data import Dataset
from nas.data.folder import read_folder
from nas.data.split import apart
from nas.training.recipe import Recipe
from nas.training.schedule import FullRecipe, load_full_recipe
from search_spaces import Architecture, preset

__all__ = ["CASES", "VARIATIONS", "Case", "Variation", "dataset", "variation_of"]

_END = 0.25
"""Share of the steps that an end has, and of the step size where it begins."""
_AND = " + "


@dataclass(frozen=True)
class Case:
    """A network.

    Attributes:
        name: of it.
        architecture: the network itself.
        teacher: the published checkpoint that can teach it, and its preset.
        planned: whether everything is tried with it; else what is asked for by its name.
    """

    name: str
    architecture: Architecture
    teacher: tuple[str, str]
    planned: bool = True

    @property
    def at_x2(self) -> Case:
        """The same trunk with an upsampler for x2."""
        plain = self.architecture.to_dict() | {"scale": 2}
        return Case(f"{self.name} at x2", Architecture.from_dict(plain), ("", ""))


def _cases() -> dict[str, Case]:
    def named(name: str, arch: Architecture, *teacher: str) -> Case:
        return Case(name, skipped(arch, "linear"), (teacher[0], teacher[1]))

    small = Architecture.from_dict(networks(2)["15K"].to_dict() | {"channels": 16})
    found = (
        named("e_rfdn 42", narrowed("e_rfdn", 42), "RFDN_AIM.pth", "e_rfdn"),
        named("plain", networks(4)["plain"], "RFDN_AIM.pth", "e_rfdn"),
        named("15K x2", small, "IMDN_x2.pth", "imdn"),
        Case("sesr_m11 x2", preset("sesr_m11", scale=2), ("IMDN_x2.pth", "imdn"), planned=False),
    )
    return {case.name: case for case in found}


CASES = _cases()
"""The largest first of those that are planned."""


@dataclass(frozen=True)
class Variation:
    """What differs from the base recipe.

    Attributes:
        changes: of all steps.
        end: of the last quarter of them; the schedule goes on as if it were one.
        teacher: whether the published network teaches as well.
        init: weights to begin with: those after as many steps at x2, or the proxy's.
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    end: Mapping[str, Any] | None = None
    teacher: bool = False
    init: Literal["", "x2", "proxy"] = ""

    def recipe(self, steps: int) -> FullRecipe:
        """The base recipe, ``fast``, with what differs, stretched to so many steps."""
        base = load_full_recipe("fast", 4)
        whole = base.phases[0].replace(**self.changes).stretched(steps)
        phases = (whole,) if self.end is None else _with_end(whole, self.end)
        return base.model_copy(update={"phases": phases})

    def __and__(self, other: Variation) -> Variation | None:
        """Both, or None where they decide the same thing."""
        own, theirs = (one.changes.keys() | (one.end or {}).keys() for one in (self, other))
        ends = self.end is not None or other.end is not None
        twice = (self.init and other.init) or (self.teacher and other.teacher)
        if twice or own & theirs or (ends and "schedule" in own | theirs):
            return None
        return Variation(
            {**self.changes, **other.changes},
            {**(self.end or {}), **(other.end or {})} if ends else None,
            self.teacher or other.teacher,
            self.init or other.init,
        )


def _with_end(whole: Recipe, end: Mapping[str, Any]) -> tuple[Recipe, Recipe]:
    """A linear schedule in two phases: to a quarter of the step size, and from it to 0."""
    last = max(1, round(_END * whole.steps))
    first = whole.replace(steps=whole.steps - last, end_rate=whole.learning_rate * _END)
    return first, whole.slowed(_END).replace(steps=last, warmup_steps=0, **end)


_ADAM = Recipe()

VARIATIONS: Mapping[str, Variation] = {
    "base": Variation(),
    "no average": Variation({"averaged_share": 0.0}),
    "teacher": Variation(teacher=True),
    "teacher alone": Variation({"teacher_share": 1.0}, teacher=True),
    "x2 first": Variation(init="x2"),
    "larger patches": Variation(end={"lr_size": 48, "batch": 2}),
    "proxy first": Variation(init="proxy"),
    "adam": Variation(
        {
            "optimizer": "adam", "learning_rate": 2e-3, "filter_rate": _ADAM.filter_rate,
            "filter_decay": _ADAM.filter_decay,
        }
    ),
    "cosine": Variation({"schedule": "cosine"}),
    "halving": Variation({"schedule": "step", "milestones": (2000, 4000, 6000, 8000)}),
    "l2": Variation({"loss": "l2"}),
    "l2 at the end": Variation(end={"loss": "l2"}),
    "charbonnier at the end": Variation(end={"loss": "charbonnier"}),
    "two phases": Variation(end={}),
    "batch 16": Variation({"batch": 16}),
    "shrunk photos": Variation({"scale_augmentation": (0.8, 0.6)}),
}  # fmt: skip
"""The first ones matter most. Adam has the step size that is best for these networks
(`benchmarks.speedrun.to_the_end`); ``halving`` halves it after every fifth, as the papers do;
``larger patches`` have as many pixels a step; ``two phases`` shows what an end costs by itself."""


def variation_of(name: str) -> Variation:
    """One by its name, or several together, ``"teacher + cosine"``.

    Raises:
        KeyError: no such variation.
        ValueError: two that decide the same thing.
    """
    first, *others = name.split(_AND)
    found = VARIATIONS[first]
    for other in others:
        both = found & VARIATIONS[other]
        if both is None:
            raise ValueError(f"{name!r}: {other} decides what another one decides, too")
        found = both
    return found


@cache
def dataset(scale: int) -> Dataset:
    """T91, BSD200 and BSDS500T; the centres of the last 20 photos of BSD200 judge."""
    train, validation = photos(scale)
    folder = research_data() / "train" / "BSDS500T"
    more = read_folder(folder, min_side_px=scale * 24).photos
    sets = {"validation": validation}
    fresh, fingerprint = apart(scale, (*train, *more), sets)
    return Dataset("T91+BSD200+BSDS500T", scale, fresh, sets, fingerprint, {})
