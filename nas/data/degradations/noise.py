"""Noise of a sensor: of its electronics, and of light itself."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from nas.data.degradations.blur import to_pixels
from nas.data.degradations.dice import Chance, Dice, Range, within

__all__ = ["GaussianNoise", "PoissonNoise"]

Pixels = NDArray[np.uint8]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class GaussianNoise(BaseModel):
    """The same everywhere.

    Attributes:
        sigma: its standard deviation, of 255.
        gray: how often it is the same in all colours, 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma: Annotated[Range, within(0, 255)]
    gray: Chance = 0.0

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image with noise."""
        sigma, gray = dice.between(self.sigma), dice.chance(self.gray)
        dice.said.append(f"{'gray ' * gray}noise {sigma:.0f}")
        shape = (*image.shape[:2], 1 if gray else 3)
        drawn = dice.rng.standard_normal(shape, np.float32)
        return to_pixels(image + drawn * np.float32(sigma))


class PoissonNoise(BaseModel):
    """Of single photons, more where it is bright.

    Attributes:
        scale: 1: the variance of a value of 0..255 is the value itself; s: s * s times as much.
        gray: how often it is the same in all colours, 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: Annotated[Range, within(0, 20)]
    gray: Chance = 0.0

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image with noise."""
        scale, gray = dice.between(self.scale), dice.chance(self.gray)
        dice.said.append(f"{'gray ' * gray}shot noise {scale:.1f}")
        mean = (image @ _LUMA)[..., None] if gray else image.astype(np.float32)
        # By the normal distribution, which theirs comes close to from some ten photons on and
        # which is drawn ten times as fast.
        drawn = dice.rng.standard_normal(mean.shape, np.float32) * np.sqrt(mean)
        return to_pixels(image + drawn * np.float32(scale))
