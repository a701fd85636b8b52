"""JPEG, by Pillow."""

from __future__ import annotations

import io
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

from nas.data.degradations.dice import Dice, Range, within

__all__ = ["Jpeg"]

Pixels = NDArray[np.uint8]


class Jpeg(BaseModel):
    """Compressed and opened again.

    Attributes:
        quality: of libjpeg, whole numbers from 1 to 100.
        subsampling: of the colours; 4:2:0 halves both of their sides, as most programs do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quality: Annotated[Range, within(1, 100)]
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = "4:2:0"

    def apply(self, image: Pixels, dice: Dice) -> Pixels:
        """The image as it comes out of a JPEG file."""
        quality = dice.whole(self.quality)
        dice.said.append(f"JPEG {quality}")
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=self.subsampling)
        return np.array(Image.open(file))
