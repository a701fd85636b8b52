"""Reading a folder of photos, whatever lies in it."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from nas.data.image_file import SkippedFile, decode_rgb, probe_rgb_bytes
from nas.data.photo import Photo
from search_spaces.errors import InputError

__all__ = ["FolderPhotos", "Progress", "div2k_folders", "read_folder"]

Progress = Callable[[int, int], None]
"""Called with the number of files read so far and the number of files to read."""

_T = TypeVar("_T")
_READERS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class FolderPhotos:
    """What a folder gave.

    Attributes:
        photos: the photos, sorted by name.
        skipped: how many of the other files in it and below were left out, by reason.
    """

    photos: tuple[Photo, ...]
    skipped: Mapping[str, int]


def read_folder(
    folder: Path,
    *,
    min_side_px: int = 1,
    at_least: int = 1,
    memory_cap_bytes: int = 10**9,
    seed: int = 0,
    progress: Progress | None = None,
) -> FolderPhotos:
    """All usable PNG, JPEG, WebP, TIFF and BMP photos in a folder and its subfolders, as 8-bit RGB.

    Gray and palette images become RGB, transparent pixels are composited over white, and the
    EXIF orientation is applied. Hidden files and linked subfolders are passed over. Every other
    file is skipped and counted by reason: ``not an image`` (or of another format), ``damaged``,
    ``unreadable``, ``not a regular file``, ``too small``, ``too large`` (over 100 megapixels),
    ``16-bit``, ``32-bit``, ``signed numbers``, ``CMYK``, ``unknown kind of TIFF``,
    ``over the memory cap``.

    Args:
        folder: where to look.
        min_side_px: photos with a shorter side, in pixels, are too small.
        at_least: how many usable photos are needed.
        memory_cap_bytes: most bytes of decoded pixels to keep. Where the folder holds more, a
            subset drawn with ``seed`` is read.
        seed: see ``memory_cap_bytes``.
        progress: called after each file that is decoded.

    Raises:
        InputError: no such folder, not a folder, or fewer than ``at_least`` usable photos.
    """
    paths = _files(folder)
    skipped: Counter[str] = Counter()
    # Pillow warns of large, oddly tagged and transparent images: all are dealt with already.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(_READERS) as readers:
        sizes: dict[Path, int] = {}
        probed = readers.map(lambda path: _try(lambda: probe_rgb_bytes(path, min_side_px)), paths)
        for path, size in zip(paths, probed, strict=True):
            if isinstance(size, SkippedFile):
                skipped[str(size)] += 1
            else:
                sizes[path] = size
        chosen = _within_cap(sizes, memory_cap_bytes, seed)
        skipped["over the memory cap"] = len(sizes) - len(chosen)
        photos = []
        decoded = readers.map(lambda path: _try(lambda: decode_rgb(path)), chosen)
        for number, (path, pixels) in enumerate(zip(chosen, decoded, strict=True), start=1):
            if isinstance(pixels, SkippedFile):
                skipped[str(pixels)] += 1
            else:
                photos.append(Photo(path.relative_to(folder).as_posix(), pixels))
            if progress is not None:
                progress(number, len(chosen))
    reasons = {reason: count for reason, count in sorted(skipped.items()) if count}
    if len(photos) < at_least:
        listed = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
        raise InputError(
            f"photo folder {folder}: {len(paths)} files found, {len(photos)} usable"
            + (f" (skipped: {listed})" if listed else "")
            + f"; needed: at least {at_least}, PNG, JPEG, WebP, TIFF or BMP, 8-bit gray or RGB,"
            f" {min_side_px} x {min_side_px} pixels or more"
        )
    return FolderPhotos(tuple(photos), reasons)


def div2k_folders(folder: Path) -> tuple[Path, Path | None] | None:
    """The HR folders of a DIV2K layout in ``folder``: (train, validation or None).

    ``DIV2K_train_HR`` may lie in ``folder`` or in one of its subfolders; ``DIV2K_valid_HR`` is
    looked for beside it. None when there is no such layout.
    """
    for train in (folder / "DIV2K_train_HR", *sorted(folder.glob("*/DIV2K_train_HR"))):
        if train.is_dir():
            validation = train.with_name("DIV2K_valid_HR")
            return train, validation if validation.is_dir() else None
    return None


def _files(folder: Path) -> list[Path]:
    """Every file below ``folder`` that is not hidden, sorted by relative name."""
    try:
        os.listdir(folder)
    except OSError as error:
        raise InputError(
            f"photo folder {folder}: {(error.strerror or str(error)).lower()};"
            " give a folder of images that can be read"
        ) from error
    paths: list[Path] = []
    for place, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        paths += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _within_cap(sizes: Mapping[Path, int], cap_bytes: int, seed: int) -> Sequence[Path]:
    """The files to decode: all, or a seeded subset that fits, in the order of ``sizes``."""
    paths = list(sizes)
    if sum(sizes.values()) <= cap_bytes:
        return paths
    chosen: set[Path] = set()
    total = 0
    for index in np.random.default_rng(seed).permutation(len(paths)):
        size = sizes[paths[index]]
        if total + size <= cap_bytes:
            chosen.add(paths[index])
            total += size
    return [path for path in paths if path in chosen]


def _try(read: Callable[[], _T]) -> _T | SkippedFile:
    # A pool's map would end at the first exception: hand it on as a value.
    try:
        return read()
    except SkippedFile as skip:
        return skip
