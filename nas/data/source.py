"""A photo as patches are cut from it: with its LR, or with what makes LR for each patch anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nas.data.aligned import aligned
from nas.data.degradation import bicubic_down, mod_crop
from nas.data.photo import Photo
from nas.data.stored import StoredPhoto
from nas.data.strips import Strips

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = ["Image", "Source"]

Pixels = NDArray[np.uint8]

# LR pixels beside a patch that chains look at.
_AROUND_PX = 16


class Image(Protocol):
    """uint8 RGB, (height, width, 3), of which parts are read as from an array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and 3."""

    def __getitem__(self, part: Any, /) -> Pixels:
        """The pixels of a part."""


@dataclass(frozen=True, slots=True)
class Source:
    """A photo at one scale.

    Attributes:
        hr: uint8 RGB, sides that the scale divides; in memory or on disk, where patches of it are
            read, or what makes it.
        lr: what LR is cut from, or made of: HR, or that made smaller already.
        chain: that makes it, for each patch anew; None: nothing is made.
        scale: upscaling factor.
    """

    hr: Image
    lr: Pixels | Strips
    chain: Chain | None
    scale: int

    @classmethod
    def of(cls, photo: Photo, scale: int) -> Source:
        """The photo at a scale.

        Raises:
            InputError: it is smaller than one LR pixel, its own LR or chain is of another scale.
        """
        if isinstance(photo, StoredPhoto):
            return cls._on_disk(photo, scale)
        chain = photo.degradation if photo.lr is None else None
        if chain is None:
            # Views, not copies: a folder of photos may fill most of the memory.
            lr, hr = aligned(photo, scale)
            return cls(hr, lr, None, scale)
        chain.check(scale)
        hr = mod_crop(photo.pixels, scale)
        # What is the same at every time is done once.
        return cls(hr, bicubic_down(hr, scale) if chain.begins_with_default else hr, chain, scale)

    @classmethod
    def _on_disk(cls, photo: StoredPhoto, scale: int) -> Source:
        chain = None if photo.has_own_lr else photo.degradation
        hr = photo.hr_at(scale)
        if chain is None:
            return cls(hr, photo.lr_at(scale), None, scale)
        chain.check(scale)
        return cls(hr, photo.lr_at(scale) if chain.begins_with_default else hr, chain, scale)

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

    def said(
        self, at: tuple[int, int], side: int, dice: Callable[[], np.random.Generator]
    ) -> tuple[str, ...]:
        """What a chain draws for the same patch from the same dice, for people."""
        if self.chain is None:
            return ()
        return self.chain.of_patch(self.lr, self.scale, at, side, dice()).said

    def fetch(self, at: tuple[int, int], side: int) -> None:
        """Announces that a patch will be asked for: what is on disk comes while others compute."""
        margin = 0 if self.chain is None else _AROUND_PX
        for image, around in ((self.hr, 0), (self.lr, margin)):
            if isinstance(image, Strips):
                factor = image.shape[0] // self.lr_size[0]
                y, x = ((one - around) * factor for one in at)
                image.fetch(y, x, (side + 2 * around) * factor)
