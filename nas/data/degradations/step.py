"""One step of a chain: a degradation, or a group of steps."""

from __future__ import annotations

from typing import Annotated, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from nas.data.degradations.blur import Blur, Sinc
from nas.data.degradations.dice import Chance, Dice
from nas.data.degradations.jpeg import Jpeg
from nas.data.degradations.noise import GaussianNoise, PoissonNoise
from nas.data.degradations.resize import Resize

__all__ = ["Step", "sizes_after"]

Pixels = NDArray[np.uint8]


_KINDS = ("blur", "sinc", "resize", "gaussian_noise", "poisson_noise", "jpeg")


class _Degradation(Protocol):
    def apply(self, image: Pixels, dice: Dice) -> Pixels: ...


class Step(BaseModel):
    """Exactly one of the degradations and groups, and how often it is done.

    Attributes:
        chance: of its being done at all, 0 to 1.
        weight: of one of the steps of a ``one_of``, above 0.
        blur: one degradation a key, each with its own settings.
        sinc: likewise.
        resize: likewise.
        gaussian_noise: likewise.
        poisson_noise: likewise.
        jpeg: likewise.
        keep: ``true``: the image stays as it is, as one of a ``one_of``.
        steps: all of these, one after the other.
        one_of: one of these, drawn by weight.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chance: Chance = 1.0
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    blur: Blur | None = None
    sinc: Sinc | None = None
    resize: Resize | None = None
    gaussian_noise: GaussianNoise | None = None
    poisson_noise: PoissonNoise | None = None
    jpeg: Jpeg | None = None
    keep: bool = False
    steps: Annotated[tuple[Step, ...], Field(min_length=1)] | None = None
    one_of: Annotated[tuple[Step, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        kinds = [name for name in type(self).model_fields if name not in ("chance", "weight")]
        given = [name for name in kinds if getattr(self, name)]
        if len(given) != 1:
            got = " and ".join(given) or "none"
            raise ValueError(f"expected one of {', '.join(kinds)}, got {got}")
        return self

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image after it, whichever of it is done."""
        if not dice.chance(self.chance) or self.keep:
            return image
        for step in self.steps or ():
            image = step.apply(image, dice)
        if self.one_of:
            drawn = dice.one_of(self.one_of, [step.weight for step in self.one_of])
            return drawn.apply(image, dice)
        return image if self.steps else self._degradation().apply(image, dice)

    def _degradation(self) -> _Degradation:
        return cast(_Degradation, next(one for name in _KINDS if (one := getattr(self, name))))


def sizes_after(steps: tuple[Step, ...], before: frozenset[str]) -> frozenset[str]:
    """Which sizes an image may have after these steps: ``"hr"``, ``"lr"`` or ``"other"``."""
    for step in steps:
        if step.one_of:
            after = frozenset[str]().union(*(sizes_after((one,), before) for one in step.one_of))
        elif step.steps:
            after = sizes_after(step.steps, before)
        elif step.resize:
            after = frozenset({"lr" if step.resize.to_lr else "other"})
        else:
            after = before
        before = after if step.chance == 1 else after | before
    return before
