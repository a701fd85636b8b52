"""Reading a folder of photos, whatever lies in it."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from nas.data.aligned import fits
from nas.data.image_file import Header, SkippedFile, decode_rgb, probe
from nas.data.photo import Photo
from search_spaces.errors import InputError

__all__ = [
    "MISFITS", "FolderFiles", "FolderPhotos", "Progress", "div2k_folders", "probe_folder",
    "read_folder",
]  # fmt: skip

Progress = Callable[[int, int], None]
"""Called with the number of files read so far and the number of files to read."""

MISFITS = "LR of another size than the scale says"
"""Why pairs are left out whose HR is not ``scale`` times as large as their LR."""

_T = TypeVar("_T")
_READERS = min(8, os.cpu_count() or 1)
_NAMED = 3


@dataclass(frozen=True, slots=True)
class FolderPhotos:
    """What a folder gave.

    Attributes:
        photos: the photos, sorted by name.
        skipped: how many of the other files in it and below were left out, by reason.
    """

    photos: tuple[Photo, ...]
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """The files in a folder and below, of which only the headers have been read.

    Attributes:
        folder: where they are.
        headers: of those that may be photos, sorted by name.
        skipped: how many of the others there are, by reason.
        lr: the files of their own LR, of all of them or of none.
        scale: of these.
        named: the first of those left out, by reason.
    """

    folder: Path
    headers: Mapping[Path, Header]
    skipped: Mapping[str, int]
    lr: Mapping[Path, Path] = field(default_factory=dict)
    scale: int = 1
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def read(
        self,
        *,
        min_side_px: int = 1,
        at_least: int = 1,
        memory_cap_bytes: int = 10**9,
        without: Iterable[Path] = (),
        progress: Progress | None = None,
    ) -> FolderPhotos:
        """The photos, see :func:`read_folder`; the files ``without`` are as if not there.

        Raises:
            InputError: fewer than ``at_least`` usable photos.
        """
        passed = set(without)
        found = {path: one for path, one in self.headers.items() if path not in passed}
        large = [path for path, one in found.items() if one.short_side_px >= min_side_px]
        sizes = {path: self.bytes_of(path) for path in large}
        chosen = _within_cap(sizes, memory_cap_bytes)
        skipped = Counter(self.skipped)
        skipped["too small"] += len(found) - len(sizes)
        skipped["over the memory cap"] += len(sizes) - len(chosen)
        photos = []
        with _quiet(), ThreadPoolExecutor(_READERS) as readers:
            decoded = readers.map(self.photo, chosen)
            for number, photo in enumerate(decoded, start=1):
                if isinstance(photo, SkippedFile):
                    skipped[str(photo)] += 1
                else:
                    photos.append(photo)
                if progress is not None:
                    progress(number, len(chosen))
        reasons = {reason: count for reason, count in sorted(skipped.items()) if count}
        if len(photos) < at_least:
            left_out = {**reasons, **({"set apart to judge": len(passed)} if passed else {})}
            listed = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            files = len(self.headers) + sum(self.skipped.values())
            raise InputError(
                f"photo folder {self.folder}: {files} files found, {len(photos)} usable"
                + (f" (skipped: {listed})" if listed else "")
                + f"; needed: at least {at_least}, PNG, JPEG, WebP, TIFF or BMP, 8-bit gray or RGB,"
                f" {min_side_px} x {min_side_px} pixels or more"
            )
        return FolderPhotos(tuple(photos), reasons)

    def first(
        self, count: int, order: Iterable[Path], memory_cap_bytes: int
    ) -> Mapping[Path, Photo]:
        """The first ``count`` photos in this order that are sound and fit the memory cap."""
        taken: dict[Path, Photo] = {}
        left_bytes = memory_cap_bytes
        with _quiet():
            for path in order:
                size = self.bytes_of(path)
                if len(taken) == count:
                    break
                if size <= left_bytes and isinstance(photo := self.photo(path), Photo):
                    taken[path] = photo
                    left_bytes -= size
        return taken

    def kept_on_disk(self, scale: int) -> FolderFiles:
        """The same, where patches at this scale can be read from disk without their photos.

        Raises:
            InputError: they could, at other scales.
        """
        return self

    def bytes_of(self, path: Path) -> int:
        """What a photo takes in memory."""
        size = self.headers[path].rgb_bytes
        return size + (size // self.scale**2 if path in self.lr else 0)

    def photo(self, path: Path) -> Photo | SkippedFile:
        """A photo with all its pixels, or why it is left out."""
        pixels = _try(lambda: decode_rgb(path))
        if isinstance(pixels, SkippedFile):
            return pixels
        name = path.relative_to(self.folder).as_posix()
        if path not in self.lr:
            return Photo(name, pixels)
        lr = _try(lambda: decode_rgb(self.lr[path]))
        if isinstance(lr, SkippedFile):
            return SkippedFile(f"{lr} (of LR)")
        if not fits(lr.shape[:2], pixels.shape[:2], self.scale):
            return SkippedFile(MISFITS)
        return Photo(name, pixels, lr)


def probe_folder(folder: Path) -> FolderFiles:
    """The files of a folder and its subfolders, their headers read.

    Raises:
        InputError: no such folder, or not a folder.
    """
    paths = _files(folder)
    skipped: Counter[str] = Counter()
    headers: dict[Path, Header] = {}
    named: dict[str, list[str]] = {}
    with _quiet(), ThreadPoolExecutor(_READERS) as readers:
        probed = readers.map(lambda path: _try(lambda: probe(path)), paths)
        for path, header in zip(paths, probed, strict=True):
            if isinstance(header, SkippedFile):
                reason = str(header)
                skipped[reason] += 1
                if skipped[reason] <= _NAMED:
                    named.setdefault(reason, []).append(path.relative_to(folder).as_posix())
            else:
                headers[path] = header
    return FolderFiles(folder, headers, skipped, named=named)


def read_folder(
    folder: Path,
    *,
    min_side_px: int = 1,
    at_least: int = 1,
    memory_cap_bytes: int = 10**9,
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
            subset drawn once and for all is read.
        progress: called after each file that is decoded.

    Raises:
        InputError: no such folder, not a folder, or fewer than ``at_least`` usable photos.
    """
    return probe_folder(folder).read(
        min_side_px=min_side_px, at_least=at_least, memory_cap_bytes=memory_cap_bytes,
        progress=progress,
    )  # fmt: skip


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


def _within_cap(sizes: Mapping[Path, int], cap_bytes: int) -> Sequence[Path]:
    """The files to decode: all, or a drawn subset that fits, in the order of ``sizes``."""
    paths = list(sizes)
    if sum(sizes.values()) <= cap_bytes:
        return paths
    chosen: set[Path] = set()
    total = 0
    for index in np.random.default_rng(0).permutation(len(paths)):
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


def _quiet() -> warnings.catch_warnings[None]:
    # Pillow warns of large, oddly tagged and transparent images: all are dealt with already.
    return warnings.catch_warnings(action="ignore")
