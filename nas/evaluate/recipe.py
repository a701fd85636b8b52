"""How a network is trained, as data: a frozen recipe and four named profiles."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from search_spaces.errors import InputError

__all__ = ["PROFILES", "Recipe", "profile"]

PROFILES = ("smoke", "quick", "standard", "full")

Precision = Literal["auto", "fp32", "bf16"]


class Recipe(BaseModel):
    """Everything that decides how a network is trained, but the network and the photos.

    Attributes:
        steps: optimiser steps of a whole training.
        batch: patches a step.
        lr_size: side of a square LR patch, pixels.
        learning_rate: Adam's step size after the warm-up; constant from then on, so that a
            paused training goes on without a new schedule.
        warmup_steps: steps over which the step size rises linearly from nearly 0.
        clip_norm: largest L2 norm of the whole gradient; longer ones are scaled down to it.
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
    warmup_steps: Annotated[int, Field(ge=0)] = 40
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
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

    def replace(self, **changes: Any) -> Recipe:
        """A validated copy with some fields changed.

        Raises:
            InputError: an unknown field or a value outside its range.
        """
        return _validated({**self.model_dump(), **changes}, "recipe")


def profile(name: str) -> Recipe:
    """The named recipe: ``smoke`` (seconds), ``quick``, ``standard`` (10x) or ``full`` (100x).

    Raises:
        InputError: no profile of that name.
    """
    if name not in PROFILES:
        raise InputError(f"profile must be one of {', '.join(PROFILES)}, got {name!r}")
    text = resources.files("nas.evaluate").joinpath("profiles", f"{name}.yaml").read_text("utf-8")
    return _validated(yaml.safe_load(text), f"profile {name}")


def _validated(values: dict[str, Any], what: str) -> Recipe:
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{what}: {where + ': ' if where else ''}{said}") from error
