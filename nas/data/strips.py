"""Photos on disk as vertical strips of pixels, so that a patch is read in a few pieces.

In whole rows, a patch of 96 x 96 pixels of a photo 2,000 pixels wide lies in 96 pieces of half a
megabyte; in strips of `STRIP_PX` it lies in one or two runs of 36 KB. That is all a layout can do
for patches at random places, so plain files serve: zarr and tensorstore would unpack a whole chunk
for each patch, lmdb copy one, and each is a further dependency.

The disk counts, not the layout: 16 such patches took 28 ms from rows on a disk that had not read
them, 20 ms from strips of any width, and 0.5 ms where they had been announced (`Strips.fetch`) a
step before; from memory 0.1 ms. So no thread reads ahead, with which steps took longer:
the kernel does.

Files are read (``pread``), not mapped, which takes 0.1 ms longer: a disk that fails or a file that
is cut off meanwhile is an error in one line, where a mapped file ends the process. No page of it is
in the process, and the kernel keeps in memory what it has room for.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import InputError

__all__ = ["STRIP_PX", "PixelFile", "Strips", "as_strips", "strips_bytes"]

Pixels = NDArray[np.uint8]

STRIP_PX = 128
"""Width of a strip in pixels; the last one of a photo is filled up with zeros."""


class PixelFile:
    """A file of pixels, open for as long as anybody uses it; threads and forks may share it.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        weakref.finalize(self, os.close, self._file)
        if hasattr(os, "posix_fadvise"):
            # What lies behind a patch is not read with it.
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_RANDOM)

    def read(self, at: int, shape: tuple[int, ...]) -> Pixels:
        """So many bytes from the place ``at``.

        Raises:
            InputError: the file ends before, or cannot be read.
        """
        pixels = np.empty(shape, np.uint8)
        left = pixels.data.cast("B")
        while left:
            try:
                count = os.preadv(self._file, [left], at)
            except OSError as error:
                raise InputError(
                    f"{self.path}: cannot be read ({error.strerror or error}); prepare the photos "
                    f"again"
                ) from error
            if count == 0:
                raise InputError(f"{self.path}: cut off at byte {at}; prepare the photos again")
            left, at = left[count:], at + count
        return pixels

    def fetch(self, at: int, count: int) -> None:
        """Has the kernel read so many bytes while others compute, where it can."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file, at, count, os.POSIX_FADV_WILLNEED)


class Strips:
    """Pixels of a photo in a file: sliced like an array, of which the slice alone is read.

    Attributes:
        shape: height, width, 3.

    Args:
        file: where they are.
        at: the place of the first one there, bytes.
        height: of the stored photo, pixels.
        width: likewise.
    """

    __slots__ = ("_at", "_file", "_stored_height", "shape")

    def __init__(self, file: PixelFile, at: int, height: int, width: int) -> None:
        self._file, self._at, self._stored_height = file, at, height
        self.shape = (height, width, 3)

    def top_left(self, height: int, width: int) -> Strips:
        """That part of it, of which nothing is read either."""
        part = Strips(self._file, self._at, self._stored_height, width)
        part.shape = (height, width, 3)
        return part

    def __getitem__(self, where: tuple[slice, slice]) -> Pixels:
        rows, columns = where
        top, bottom, _ = rows.indices(self.shape[0])
        left, right, _ = columns.indices(self.shape[1])
        pixels = np.empty((max(0, bottom - top), max(0, right - left), 3), np.uint8)
        if pixels.size:
            for first in range(left // STRIP_PX * STRIP_PX, right, STRIP_PX):
                piece = self._file.read(self._place(first, top), (bottom - top, STRIP_PX, 3))
                begin, end = max(left, first), min(right, first + STRIP_PX)
                pixels[:, begin - left : end - left] = piece[:, begin - first : end - first]
        return pixels

    def fetch(self, top: int, left: int, side: int) -> None:
        """Announces that a square of it will be read soon, which may lie across its edges."""
        top, bottom = max(0, top), min(self.shape[0], top + side)
        left, right = max(0, left), min(self.shape[1], left + side)
        for first in range(left // STRIP_PX * STRIP_PX, right, STRIP_PX):
            self._file.fetch(self._place(first, top), max(0, bottom - top) * STRIP_PX * 3)

    def _place(self, column: int, row: int) -> int:
        return self._at + (column * self._stored_height + row * STRIP_PX) * 3


def as_strips(pixels: Pixels) -> Pixels:
    """A photo's pixels, (height, width, 3), in the order in which `Strips` reads them."""
    height, width = pixels.shape[:2]
    count = -(-width // STRIP_PX)
    filled = np.zeros((count, height, STRIP_PX, 3), np.uint8)
    for number in range(count):
        piece = pixels[:, number * STRIP_PX : (number + 1) * STRIP_PX]
        filled[number, :, : piece.shape[1]] = piece
    return filled


def strips_bytes(height: int, width: int) -> int:
    """Bytes that a photo of this size takes."""
    return -(-width // STRIP_PX) * STRIP_PX * height * 3
