"""One photo in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = ["Digests", "Photo"]


class Digests(NamedTuple):
    """SHA-256 over size and pixels of a photo, and of its own LR where it has one."""

    hr: str
    lr: str | None


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
    def has_own_lr(self) -> bool:
        """Whether there is `lr`, which of a photo on disk is not read for that."""
        return self.lr is not None

    @property
    def nbytes(self) -> int:
        """Bytes of all its pixels in memory."""
        return int(self.pixels.nbytes + (0 if self.lr is None else self.lr.nbytes))

    def digests(self) -> Digests:
        """What tells it from other photos."""
        return Digests(_digest(self.pixels), None if self.lr is None else _digest(self.lr))

    def degraded(self, by: Chain) -> Photo:
        """The same, whose LR a chain makes where it has none of its own."""
        return replace(self, degradation=by)


def _digest(pixels: NDArray[np.uint8]) -> str:
    digest = sha256(f"{pixels.shape[0]} x {pixels.shape[1]}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
