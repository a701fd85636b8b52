"""A photo as patches are cut from it: with its LR, or with what makes LR for each patch anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nas.data.aligned import aligned
from nas.data.degradation import bicubic_down, mod_crop
from nas.data.photo import Photo

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = ["Source"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Source:
    """A photo at one scale.

    Attributes:
        hr: uint8 RGB, sides that the scale divides.
        lr: what LR is cut from, or made of: HR, or that made smaller already.
        chain: that makes it, for each patch anew; None: nothing is made.
        scale: upscaling factor.
    """

    hr: Pixels
    lr: Pixels
    chain: Chain | None
    scale: int

    @classmethod
    def of(cls, photo: Photo, scale: int) -> Source:
        """The photo at a scale.

        Raises:
            InputError: it is smaller than one LR pixel, its own LR or chain is of another scale.
        """
        chain = photo.degradation if photo.lr is None else None
        if chain is None:
            # Views, not copies: a folder of photos may fill most of the memory.
            lr, hr = aligned(photo, scale)
            return cls(hr, lr, None, scale)
        chain.check(scale)
        hr = mod_crop(photo.pixels, scale)
        # What is the same at every time is done once.
        return cls(hr, bicubic_down(hr, scale) if chain.begins_with_default else hr, chain, scale)

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width of the LR."""
        return self.hr.shape[0] // self.scale, self.hr.shape[1] // self.scale

    def hr_patch(self, at: tuple[int, int], side: int) -> Pixels:
        """HR of the patch at an LR pixel (row, column), ``side`` LR pixels wide."""
        (y, x), long = (one * self.scale for one in at), side * self.scale
        return self.hr[y : y + long, x : x + long]

    def lr_patch(
        self, at: tuple[int, int], side: int, dice: Callable[[], np.random.Generator]
    ) -> Pixels:
        """LR of the same patch; ``dice`` says where a chain takes its chances from."""
        if self.chain is None:
            y, x = at
            return self.lr[y : y + side, x : x + side]
        return self.chain.of_patch(self.lr, self.scale, at, side, dice()).lr
