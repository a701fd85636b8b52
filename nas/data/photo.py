"""One photo in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = ["Photo"]


# Compared by identity: an elementwise == of pixels would be neither true nor false.
@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo; `nas.data.aligned.aligned` gives its LR and HR at a scale.

    Attributes:
        name: the file's name relative to the folder it was read from, with ``/`` between parts.
        pixels: uint8 RGB, shape (height, width, 3), values 0..255.
        lr: its own LR, likewise; None: LR is made from ``pixels``.
        degradation: by which it is made then; None: by MATLAB's bicubic.
    """

    name: str
    pixels: NDArray[np.uint8]
    lr: NDArray[np.uint8] | None = None
    degradation: Chain | None = None

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    @property
    def short_side(self) -> int:
        """The shorter of height and width, in pixels."""
        return min(self.height, self.width)

    @property
    def nbytes(self) -> int:
        """Bytes of all its pixels in memory."""
        return int(self.pixels.nbytes + (0 if self.lr is None else self.lr.nbytes))
