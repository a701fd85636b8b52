"""How a network is trained, as data: a frozen recipe and four named profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nas.plain import checked
from search_spaces.errors import InputError

__all__ = ["PROFILES", "Loss", "Recipe", "profile"]

PROFILES = ("smoke", "quick", "standard", "full")

Precision = Literal["auto", "fp32", "bf16"]
Schedule = Literal["constant", "step", "cosine", "linear"]
Loss = Literal["l1", "l2", "charbonnier", "fft", "gradient"]
Optimizer = Literal["adam", "muon"]
FirstWeights = Literal["random", "photos"]
_OF_SCHEDULES = {
    "milestones": ("step",), "gamma": ("step",), "end_rate": ("cosine", "linear"),
    "decay_share": ("linear",),
}  # fmt: skip
_FILTER_RATE = 0.1


class Recipe(BaseModel):
    """Everything that decides how a network is trained, but the network and the photos.

    Attributes:
        steps: optimiser steps of a whole training.
        batch: patches a step.
        lr_size: side of a square LR patch, pixels.
        optimizer: ``"adam"`` for everything, or ``"muon"`` for the filters of the trunk (see
            `nas.training.muon`) and Adam for stem, upsampler, image skip and vectors.
        learning_rate: Adam's step size after the warm-up.
        filter_rate: Muon's, which follows the same schedule.
        filter_decay: the share of Muon's filters that goes at each step is this times its step size
            at that step.
        schedule: what becomes of them: ``"constant"``, so that a training can be made longer
            afterwards; ``"step"``: times ``gamma`` at every milestone; ``"cosine"``: down to
            ``end_rate`` at the last step along half a cosine (Loshchilov & Hutter 2017,
            "SGDR", eq. 5, without restarts); ``"linear"``: constant, then down to ``end_rate`` in
            a straight line over the last ``decay_share`` of the steps.
        milestones: of ``"step"``: steps from which the step size is smaller, rising.
        gamma: of ``"step"``: the factor, 0 to 1.
        end_rate: of ``"cosine"`` and ``"linear"``: the last step size of Adam.
        decay_share: of ``"linear"``: share of the steps, 0 to 1.
        warmup_steps: steps over which the step size rises linearly from nearly 0.
        loss: ``"l1"``, mean absolute error, ``"l2"``, mean squared error, ``"charbonnier"``,
            l1 that is round at 0, ``"fft"``, l1 of the spectra, or ``"gradient"``, l1 of the
            differences between neighbouring pixels (see `nas.training.losses`); or the weights
            of several, above 0, of which the sum is taken: ``{"l1": 1, "fft": 0.05}``.
        teacher_share: where the training has a teacher: the share of the loss, 0 to 1, that is the
            distance from its answers; the rest is that from the photos.
        clip_norm: largest L2 norm of the whole gradient; longer ones are scaled down to it.
            None: as long as they are.
        averaged_share: share of the steps so far over which the weights are averaged, 0 (the
            last ones alone) to 1. Whatever the length of a training, any step of it can be judged.
            Step t weighs t ** (1 / averaged_share - 1) (Karras et al. 2024, "Analyzing and
            improving the training dynamics of diffusion models", section 3.1).
        scale_augmentation: factors, above 0 and below 1, by each of which the photos in memory are
            shrunk and trained on as well (see `nas.data.shrunk`).
        precision: ``"fp32"``, ``"bf16"`` (autocast), or ``"auto"``: bf16 where the hardware
            multiplies it natively.
        explode_ratio: a training whose recent loss is this many times its best is stopped
            as diverged.
        first_weights: of fresh networks: ``"random"``, or ``"photos"``: the stem whitens the
            training photos' patches and a linear image skip is fitted to them (see
            `nas.training.first_weights`).
        seed: of the initial weights and of the order of patches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Annotated[int, Field(ge=1, le=10**9)] = 360
    batch: Annotated[int, Field(ge=1, le=4096)] = 8
    lr_size: Annotated[int, Field(ge=1)] = 24
    optimizer: Optimizer = "adam"
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    filter_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = _FILTER_RATE
    filter_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    schedule: Schedule = "constant"
    milestones: tuple[Annotated[int, Field(ge=0)], ...] = ()
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.5
    end_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    decay_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    warmup_steps: Annotated[int, Field(ge=0)] = 40
    loss: Loss | dict[Loss, float] = "l1"
    teacher_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    averaged_share: Annotated[float, Field(ge=0, le=1)] = 0.08
    scale_augmentation: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = ()
    precision: Precision = "auto"
    explode_ratio: Annotated[float, Field(gt=1)] = 5.0
    first_weights: FirstWeights = "random"
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("loss", mode="before")
    @classmethod
    def _losses_known(cls, given: object) -> object:
        # By hand: of a name or a mapping, pydantic would say what is wrong as either.
        known = get_args(Loss)
        several = {given: 1.0} if isinstance(given, str) else given
        if not isinstance(several, Mapping) or not several or not several.keys() <= set(known):
            raise ValueError(
                f"expected one of {', '.join(known)}, or weights of several, such as "
                f"{{l1: 1, fft: 0.05}}, got {given!r}"
            )
        for name, weight in several.items():
            number = isinstance(weight, int | float) and not isinstance(weight, bool)
            if not number or not 0 < weight < math.inf:
                raise ValueError(f"expected a weight above 0 of {name}, got {weight!r}")
        return given

    @model_validator(mode="after")
    def _fields_fit(self) -> Recipe:
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps must be at most steps, got {self.warmup_steps} > {self.steps}"
            )
        if list(self.milestones) != sorted(self.milestones):
            raise ValueError(f"milestones must rise, got {list(self.milestones)}")
        for name, of in _OF_SCHEDULES.items():
            field = type(self).model_fields[name]
            if self.schedule not in of and getattr(self, name) != field.default:
                raise ValueError(
                    f"{name} belongs to schedule {' or '.join(of)}, got schedule {self.schedule}"
                )
        if self.optimizer != "muon":
            for name, usual in (("filter_rate", _FILTER_RATE), ("filter_decay", 0.0)):
                if getattr(self, name) != usual:
                    raise ValueError(f"{name} belongs to optimizer muon, got {self.optimizer}")
        if self.end_rate > self.learning_rate:
            raise ValueError(
                f"end_rate must be at most learning_rate, got {self.end_rate} > "
                f"{self.learning_rate}"
            )
        return self

    @property
    def losses(self) -> Mapping[Loss, float]:
        """The losses whose sum is taken, each with its weight."""
        return self.loss if isinstance(self.loss, dict) else {self.loss: 1.0}

    def pace(self, step: int) -> float:
        """The share of the step sizes that a step (from 0) takes, 0 to 1."""
        pace, last = 1.0, max(1, self.steps - 1)
        end = self.end_rate / self.learning_rate
        if self.schedule == "step":
            pace = self.gamma ** sum(step >= milestone for milestone in self.milestones)
        elif self.schedule == "cosine":
            # The first step has the whole rate, the last one the end rate.
            pace = end + (1 - end) * (1 + math.cos(math.pi * min(1.0, step / last))) / 2
        elif self.schedule == "linear":
            left = (last - step) / (self.decay_share * last)
            pace = end + (1 - end) * min(1.0, max(0.0, left))
        return pace * min(1.0, (step + 1) / max(1, self.warmup_steps))

    def rate(self, step: int) -> float:
        """Adam's step size at a step, from 0."""
        return self.learning_rate * self.pace(step)

    def slowed(self, factor: float) -> Recipe:
        """The same recipe with all step sizes times ``factor``."""
        rates = {
            name: getattr(self, name) * factor
            for name in ("learning_rate", "end_rate", "filter_rate")
            if name != "filter_rate" or self.optimizer == "muon"
        }
        return self.replace(**rates)

    def stretched(self, steps: int) -> Recipe:
        """The same recipe for another number of steps, all that is counted in steps in proportion.

        Milestones and the warm-up grow or shrink with the steps; what a step does stays.
        """
        factor = steps / self.steps
        return self.replace(
            steps=steps,
            milestones=tuple(round(milestone * factor) for milestone in self.milestones),
            warmup_steps=min(steps, round(self.warmup_steps * factor)),
        )

    def replace(self, **changes: Any) -> Recipe:
        """A validated copy with some fields changed.

        Raises:
            InputError: an unknown field or a value outside its range.
        """
        return checked(Recipe, {**self.model_dump(), **changes}, "recipe")


def profile(name: str) -> Recipe:
    """The named recipe: ``smoke`` (seconds), ``quick``, ``standard`` (10x) or ``full`` (100x).

    Raises:
        InputError: no profile of that name.
    """
    if name not in PROFILES:
        raise InputError(f"profile must be one of {', '.join(PROFILES)}, got {name!r}")
    text = resources.files("nas.training").joinpath("profiles", f"{name}.yaml").read_text("utf-8")
    return checked(Recipe, yaml.safe_load(text), f"profile {name}")
