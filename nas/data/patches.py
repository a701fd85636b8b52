"""Training patches, cut from photos in memory or on disk."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from nas.data.photo import Photo
from nas.data.shrunk import with_shrunk
from nas.data.source import Image, Source
from nas.data.stored import StoredPhoto
from search_spaces.errors import InputError

__all__ = ["Batch", "Patches"]

AUGMENTATIONS = 8

_WHOLE = slice(None)


class Batch(NamedTuple):
    """Aligned patches.

    Attributes:
        lr: uint8, shape (N, 3, lr_size, lr_size), channels_last in memory.
        hr: uint8, shape (N, 3, lr_size * scale, lr_size * scale), channels_last in memory.
    """

    lr: torch.Tensor
    hr: torch.Tensor


class _Place(NamedTuple):
    source: Source
    at: tuple[int, int]


class _Recipe(Protocol):
    @property
    def lr_size(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def scale_augmentation(self) -> Sequence[float]: ...


class Patches:
    """Batches of training patches, each a pure function of the seed and the step.

    Any batch can be had at any time, so training can pause and go on, and every network of a
    search sees the same patches in the same order. Photos are drawn in proportion to their
    area, positions uniformly, and each patch gets one of the 8 flips and rotations of a square.

    Args:
        photos: their LR is made here, once, from the whole mod-cropped photo, where they have
            none of their own (of photos on disk it is there); where they have a chain of
            degradations, for each patch anew.
        scale: the upscaling factor.
        lr_size: side of the LR patches, pixels.
        batch: patches a batch.
        seed: any integer from 0 to 2^64 - 1.

    Raises:
        InputError: no photos, photos smaller than one patch, or an LR of another scale.
    """

    def __init__(
        self, photos: Iterable[Photo], scale: int, *, lr_size: int, batch: int, seed: int
    ) -> None:
        photos = tuple(photos)
        small = [photo for photo in photos if photo.short_side < lr_size * scale]
        if small or not photos:
            raise InputError(
                f"patches of {lr_size} LR pixels at x{scale} need photos of at least"
                f" {lr_size * scale} x {lr_size * scale} pixels; got "
                + (
                    f"{len(small)} smaller, the first {small[0].name} with"
                    f" {small[0].height} x {small[0].width}; leave them out or take smaller patches"
                    if small
                    else "no photos"
                )
            )
        self.scale, self.lr_size, self.batch_size, self.seed = scale, lr_size, batch, seed
        self._sources = [Source.of(photo, scale) for photo in photos]
        self._chained = any(source.chain is not None for source in self._sources)
        self._on_disk = any(isinstance(photo, StoredPhoto) for photo in photos)
        self._ends = np.cumsum([math.prod(source.lr_size) for source in self._sources])
        self._ready: tuple[tuple[int, slice], Batch] | None = None

    @classmethod
    def of(cls, photos: Iterable[Photo], scale: int, recipe: _Recipe) -> Patches:
        """The batches of a training by a recipe, of photos that it has shrunk as well."""
        photos = with_shrunk(photos, recipe.scale_augmentation, recipe.lr_size * scale)
        return cls(photos, scale, lr_size=recipe.lr_size, batch=recipe.batch, seed=recipe.seed)

    def with_hr(self, of: Callable[[Source], Image]) -> Patches:
        """The same patches of other HR images, each of the size of the photo's own."""
        other = copy.copy(self)
        other._sources = [replace(source, hr=of(source)) for source in self._sources]
        other._ready = None
        return other

    def batch(self, step: int, part: slice = _WHOLE) -> Batch:
        """The batch of a step (from 0), the same whenever and wherever it is asked for.

        Args:
            step: its number.
            part: only these of its patches, for one of several processes.
        """
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] == (step, part):
            return ready[1]
        return self._cut(step, part, torch.get_num_threads())

    @contextmanager
    def ahead(self, step: int, part: slice = _WHOLE) -> Iterator[None]:
        """Makes the batch of a step beside what is done inside, where a chain makes that long.

        Nothing of it goes on afterwards.
        """
        if not self._chained:
            yield
            return
        threads = torch.get_num_threads()
        with ThreadPoolExecutor(1) as beside:
            coming = beside.submit(self._cut, step, part, threads)
            yield
            self._ready = (step, part), coming.result()

    def said(self, step: int) -> list[tuple[str, ...]]:
        """What chains draw for each patch of a batch, for people: ``("blur 1.3", "JPEG 46")``."""
        places, _ = self._drawn(step, _WHOLE)
        return [
            source.said(at, self.lr_size, partial(_dice, self.seed, step, number))
            for number, (source, at) in enumerate(places)
        ]

    def _cut(self, step: int, part: slice, threads: int) -> Batch:
        size, scale = self.lr_size, self.scale
        places, codes = self._drawn(step, part)
        lr = np.empty((len(places), size, size, 3), np.uint8)
        hr = np.empty((len(places), size * scale, size * scale, 3), np.uint8)
        numbers = range(self.batch_size)[part]

        def fill(index: int) -> None:
            source, at = places[index]
            lr[index] = source.lr_patch(at, size, partial(_dice, self.seed, step, numbers[index]))
            hr[index] = source.hr_patch(at, size)

        if self._chained:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(fill, range(len(places))))
        else:
            for index in range(len(places)):
                fill(index)
        if self._on_disk:
            # It finds the next step's patches while this one's are trained on.
            for source, at in self._drawn(step + 1, part)[0]:
                source.fetch(at, size)
        return Batch(_augmented(lr, codes), _augmented(hr, codes))

    def _drawn(self, step: int, part: slice) -> tuple[list[_Place], NDArray[np.int_]]:
        """Where the patches of a batch are cut, and the codes of their flips."""
        rng = np.random.Generator(np.random.Philox(key=[self.seed, step]))
        draws = rng.random((4, self.batch_size))[:, part]
        photos = np.searchsorted(self._ends, draws[0] * self._ends[-1], side="right")
        places = []
        for photo, down, right in zip(photos.tolist(), draws[1], draws[2], strict=True):
            source = self._sources[photo]
            height, width = source.lr_size
            at = int(down * (height - self.lr_size + 1)), int(right * (width - self.lr_size + 1))
            places.append(_Place(source, at))
        return places, (draws[3] * AUGMENTATIONS).astype(int)


def _dice(seed: int, step: int, place: int) -> np.random.Generator:
    """The chances of one patch, whoever makes which part of the batch."""
    # Beside those that the batch's places are drawn from.
    return np.random.Generator(np.random.Philox(key=[seed, step], counter=[0, 0, 0, place + 1]))


def _augmented(patches: NDArray[np.uint8], codes: NDArray[np.int_]) -> torch.Tensor:
    """Bit 0 of a patch's code flips rows, bit 1 columns, bit 2 transposes; (N, 3, p, p)."""
    rows, columns, turned = (np.flatnonzero(codes & bit) for bit in (1, 2, 4))
    patches[rows] = patches[rows][:, ::-1]
    # torch flips 3-channel bytes with vector instructions, numpy walks them one by one; in
    # turn, numpy gathers and scatters whole patches ten times as fast as torch.
    patches[columns] = torch.from_numpy(patches[columns]).flip(2).numpy()
    upright = patches[turned]
    sideways = np.empty_like(upright)
    # Channel by channel is four times as fast as copying runs of 3 bytes.
    for channel in range(3):
        sideways[..., channel] = upright[..., channel].swapaxes(1, 2)
    patches[turned] = sideways
    return torch.from_numpy(patches).permute(0, 3, 1, 2)
