"""How a network is trained, as data: a frozen recipe and four named profiles."""

from __future__ import annotations

import math
from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from search_spaces.errors import InputError

__all__ = ["PROFILES", "Recipe", "profile", "validated"]

PROFILES = ("smoke", "quick", "standard", "full")

Precision = Literal["auto", "fp32", "bf16"]
Schedule = Literal["constant", "step", "cosine"]
Loss = Literal["l1", "l2"]


class Recipe(BaseModel):
    """Everything that decides how a network is trained, but the network and the photos.

    Attributes:
        steps: optimiser steps of a whole training.
        batch: patches a step.
        lr_size: side of a square LR patch, pixels.
        learning_rate: Adam's step size after the warm-up.
        schedule: what becomes of it: ``"constant"``, so that a training can be made longer
            afterwards; ``"step"``: times ``gamma`` at every milestone; ``"cosine"``: down to
            ``end_rate`` at the last step along half a cosine (Loshchilov & Hutter 2017,
            "SGDR", eq. 5, without restarts).
        milestones: of ``"step"``: steps from which the step size is smaller, rising.
        gamma: of ``"step"``: the factor, 0 to 1.
        end_rate: of ``"cosine"``: the last step size.
        warmup_steps: steps over which the step size rises linearly from nearly 0.
        loss: ``"l1"``, mean absolute error, or ``"l2"``, mean squared error.
        clip_norm: largest L2 norm of the whole gradient; longer ones are scaled down to it.
            None: as long as they are.
        ema_decay: weight of the past in the running average of the weights, 0 (none) to 1.
        precision: ``"fp32"``, ``"bf16"`` (autocast), or ``"auto"``: bf16 where the hardware
            multiplies it natively.
        explode_ratio: a training whose recent loss is this many times its best is stopped
            as diverged.
        seed: of the initial weights and of the order of patches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Annotated[int, Field(ge=1)] = 360
    batch: Annotated[int, Field(ge=1)] = 8
    lr_size: Annotated[int, Field(ge=1)] = 24
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    schedule: Schedule = "constant"
    milestones: tuple[Annotated[int, Field(ge=0)], ...] = ()
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.5
    end_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    warmup_steps: Annotated[int, Field(ge=0)] = 40
    loss: Loss = "l1"
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.98
    precision: Precision = "auto"
    explode_ratio: Annotated[float, Field(gt=1)] = 5.0
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Recipe:
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps must be at most steps, got {self.warmup_steps} > {self.steps}"
            )
        return self

    @model_validator(mode="after")
    def _schedule_fits(self) -> Recipe:
        if list(self.milestones) != sorted(self.milestones):
            raise ValueError(f"milestones must rise, got {list(self.milestones)}")
        for name, of in (("milestones", "step"), ("gamma", "step"), ("end_rate", "cosine")):
            field = type(self).model_fields[name]
            if self.schedule != of and getattr(self, name) != field.default:
                raise ValueError(f"{name} belongs to schedule {of}, got schedule {self.schedule}")
        if self.end_rate > self.learning_rate:
            raise ValueError(
                f"end_rate must be at most learning_rate, got {self.end_rate} > "
                f"{self.learning_rate}"
            )
        return self

    def rate(self, step: int) -> float:
        """The step size of a step, from 0; at most ``learning_rate``."""
        rate = self.learning_rate
        if self.schedule == "step":
            rate *= self.gamma ** sum(step >= milestone for milestone in self.milestones)
        elif self.schedule == "cosine":
            # The first step has the whole rate, the last one the end rate.
            share = min(1.0, step / max(1, self.steps - 1))
            rate = self.end_rate + (rate - self.end_rate) * (1 + math.cos(math.pi * share)) / 2
        return rate * min(1.0, (step + 1) / max(1, self.warmup_steps))

    def stretched(self, steps: int) -> Recipe:
        """The same recipe for another number of steps, all that is counted in steps in proportion.

        Milestones, the warm-up and the window of the weights' average, 1 / (1 - ema_decay),
        grow or shrink with the steps; what a step does stays.
        """
        factor = steps / self.steps
        return self.replace(
            steps=steps,
            milestones=tuple(round(milestone * factor) for milestone in self.milestones),
            warmup_steps=min(steps, round(self.warmup_steps * factor)),
            ema_decay=max(0.0, 1 - (1 - self.ema_decay) / factor) if self.ema_decay else 0.0,
        )

    def replace(self, **changes: Any) -> Recipe:
        """A validated copy with some fields changed.

        Raises:
            InputError: an unknown field or a value outside its range.
        """
        return validated({**self.model_dump(), **changes}, "recipe")


def profile(name: str) -> Recipe:
    """The named recipe: ``smoke`` (seconds), ``quick``, ``standard`` (10x) or ``full`` (100x).

    Raises:
        InputError: no profile of that name.
    """
    if name not in PROFILES:
        raise InputError(f"profile must be one of {', '.join(PROFILES)}, got {name!r}")
    text = resources.files("nas.evaluate").joinpath("profiles", f"{name}.yaml").read_text("utf-8")
    return validated(yaml.safe_load(text), f"profile {name}")


def validated(values: dict[str, Any], what: str) -> Recipe:
    """A recipe from plain data.

    Raises:
        InputError: an unknown field or a value outside its range, named behind ``what``.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{what}: {where + ': ' if where else ''}{said}") from error
