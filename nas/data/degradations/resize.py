"""Resizing by one of several kernels, to a share of the image or of the LR."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

from nas.data.degradation import bicubic_down
from nas.data.degradations.dice import Dice, Range, Weights, among, within

__all__ = ["Resize"]

Pixels = NDArray[np.uint8]

_KERNELS = {
    "area": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


class Resize(BaseModel):
    """The image in another size.

    Attributes:
        of: ``"lr"``: of the LR that is made, whatever the scale; ``"image"``: of the image as it
            has become by then.
        by: the new sides as a factor of those; up and down are drawn by their lengths, so that
            ``one_of`` says how often which.
        kernels: with their weights: area, bilinear, bicubic.
        antialias: whether bilinear and bicubic kernels are widened where the image shrinks, as
            programs for images do it; torch's ``interpolate`` by default does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: Literal["lr", "image"] = "lr"
    by: Annotated[Range, within(0.05, 8)] = (1.0, 1.0)
    kernels: Annotated[Weights, among(_KERNELS)] = {"bicubic": 1.0}
    antialias: bool = True

    @property
    def to_lr(self) -> bool:
        """Whether the image has the LR's size afterwards, always."""
        return self.of == "lr" and self.by == (1.0, 1.0)

    @property
    def is_default(self) -> bool:
        """Whether it does what is done without a chain: MATLAB's bicubic to the LR."""
        return self.to_lr and list(self.kernels) == ["bicubic"] and self.antialias

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image resized."""
        factor = dice.between(self.by)
        kernel = dice.one_of(list(self.kernels), list(self.kernels.values()))
        height, width = (
            max(1, int(side * factor))
            for side in (dice.lr_size if self.of == "lr" else image.shape[:2])
        )
        if (height, width) == image.shape[:2]:
            return image
        dice.said.append(f"{kernel} {self._said(factor)}")
        return self._resized(image, kernel, height, width)

    def _said(self, factor: float) -> str:
        if self.of == "image":
            return f"x {factor:.2f}"
        return "to LR" if factor == 1 else f"to {factor:.2f} LR"

    def _resized(self, image: Pixels, kernel: str, height: int, width: int) -> Pixels:
        if kernel == "bicubic" and self.antialias:
            scale = image.shape[0] // height
            if (height * scale, width * scale) == image.shape[:2]:
                return bicubic_down(image, scale)
        picture, method = Image.fromarray(image), _KERNELS[kernel]
        if self.antialias or kernel == "area":
            return np.array(picture.resize((width, height), method))
        steps = (picture.width / width, 0, 0, 0, picture.height / height, 0)
        affine = Image.Transform.AFFINE
        return np.array(picture.transform((width, height), affine, steps, method))
