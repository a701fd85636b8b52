"""A photo on disk, of which no more is read than is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas.data.photo import Digests, Photo
from nas.data.strips import Strips
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.data.degradations import Chain

__all__ = ["Stored", "StoredPhoto"]

_ALL = (slice(None), slice(None))


class Stored(NamedTuple):
    """What is known of a photo without reading it.

    Attributes:
        hr: its pixels.
        lr: its LR by scale.
        own: the scale of its own LR; None: LR is what bicubic makes.
        digests: of the pixels, and of its own LR.
    """

    hr: Strips
    lr: Mapping[int, Strips]
    own: int | None
    digests: Digests


class StoredPhoto(Photo):
    """A photo whose pixels stay on disk: every look at them reads them all.

    Networks are trained on patches of `lr_at` and `hr_at`.
    """

    __slots__ = ("_stored",)

    _stored: Stored

    def __init__(self, name: str, stored: Stored, degradation: Chain | None = None) -> None:
        for field, value in (("name", name), ("_stored", stored), ("degradation", degradation)):
            # As frozen dataclasses do it.
            object.__setattr__(self, field, value)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """As `Photo.pixels`, read now and not kept."""
        return self._stored.hr[_ALL]

    @property
    def lr(self) -> NDArray[np.uint8] | None:
        """As `Photo.lr`, likewise."""
        own = self._stored.own
        return None if own is None else self._stored.lr[own][_ALL]

    @property
    def height(self) -> int:
        return self._stored.hr.shape[0]

    @property
    def width(self) -> int:
        return self._stored.hr.shape[1]

    @property
    def nbytes(self) -> int:
        return 0

    def digests(self) -> Digests:
        return self._stored.digests

    def in_memory(self) -> Photo:
        """The same with all that it has, read now."""
        return Photo(self.name, self.pixels, self.lr, self.degradation)

    def degraded(self, by: Chain) -> Photo:
        return StoredPhoto(self.name, self._stored, by)

    @property
    def has_own_lr(self) -> bool:
        return self._stored.own is not None

    def hr_at(self, scale: int) -> Strips:
        """The pixels, but for those at the ends that the scale leaves over."""
        return self._stored.hr.top_left(*(side // scale * scale for side in self._size))

    def lr_at(self, scale: int) -> Strips:
        """LR, its own or what bicubic makes.

        Raises:
            InputError: none of that scale is there.
        """
        if scale == 1 and not self.has_own_lr:
            return self._stored.hr
        known = self._stored.lr
        if scale not in known:
            raise InputError(
                f"{self.name} was prepared with LR for x{', x'.join(map(str, known))}, not for "
                f"x{scale}; prepare the photos with --scale {scale}"
            )
        return known[scale]

    @property
    def _size(self) -> tuple[int, int]:
        return self.height, self.width
