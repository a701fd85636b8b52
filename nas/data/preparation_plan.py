"""What is to be prepared of a folder of photos, and whether the disk has room for it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nas.data.cache import VALIDATION
from nas.data.cache_index import INDEX, UNFINISHED, Making
from nas.data.folder import FolderFiles, div2k_folders, probe_folder
from nas.data.pairs import paired_folder
from nas.data.places import PhotoPlaces
from nas.data.strips import strips_bytes
from search_spaces.errors import InputError

__all__ = ["Plan", "no_photos", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be prepared.

    Attributes:
        folders: files, and the folder that their photos go to.
        name: of the data, see `nas.data.places.PhotoPlaces.name`.
        scales: LR is made for, or the one scale of their own LR.
    """

    folders: tuple[tuple[FolderFiles, Path], ...]
    name: str
    scales: tuple[int, ...]

    @property
    def files(self) -> int:
        """How many files may be photos."""
        return sum(len(files.headers) for files, _ in self.folders)

    @property
    def nbytes(self) -> int:
        """What their photos take on disk, at most."""
        return sum(_most_of(files, self.scales) for files, _ in self.folders)

    def check(self, *, fresh: bool) -> None:
        """Makes sure of the place, where what is there stays or is made anew.

        Raises:
            InputError: other things are there.
            OSError: the disk has too little room.
        """
        for _, target in self.folders:
            _check_target(target)
        _check_disk(self, fresh=fresh)


def plan(data: Path, target: Path, *, lr: Path | None = None, scales: Sequence[int] = (4,)) -> Plan:
    """What `nas.data.prepare.prepare` would do; the headers of all files are read for it.

    Of a DIV2K layout the photos that judge are prepared, too, where they would be taken.

    Args:
        data: folder of HR photos.
        target: the folder of what is prepared.
        lr: folder of their own LR, at a single scale.
        scales: to make LR for, or that of the photos' own.

    Raises:
        InputError: no such folder, no photo in it, no scale, or one that cannot be.
    """
    least = 2 if lr is None else 1
    if not scales or len({*scales}) < len(scales) or not {*scales} <= {*range(least, 5)}:
        raise InputError(
            f"--scale: expected {'2' if lr is None else '1, 2'}, 3 or 4, each once, got "
            f"{', '.join(map(str, scales)) or 'none'}"
        )
    if lr is not None and len(scales) != 1:
        raise InputError("--lr and --scale: LR images are of one scale; give that alone")
    name = PhotoPlaces(data, lr=lr).name
    train, beside = div2k_folders(data) or (data, None)
    folders = [(target, train)]
    if beside is not None and lr is None:
        # First of all: without them others would be drawn to judge.
        folders.insert(0, (target / VALIDATION, beside))
    found = []
    for place, folder in folders:
        files = probe_folder(folder) if lr is None else paired_folder(folder, lr, scales[0])
        if not files.headers:
            raise no_photos(files, files.skipped)
        found.append((files, place))
    return Plan(tuple(found), name, tuple(sorted(scales)))


def no_photos(files: FolderFiles, left_out: Mapping[str, int]) -> InputError:
    """What to tell where no file is a photo."""
    listed = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    return InputError(
        f"photo folder {files.folder}: no photo that can be used (left out: {listed or 'nothing'});"
        f" give a folder of PNG, JPEG, WebP, TIFF or BMP images, 8-bit gray or RGB"
    )


def _most_bytes(size: Sequence[int], scales: Sequence[int]) -> int:
    # EXIF may say that it is to be turned.
    across, upright = (
        sum(strips_bytes(height // factor, width // factor) for factor in (1, *scales))
        for height, width in (size, size[::-1])
    )
    return max(across, upright)


def _check_target(target: Path) -> None:
    ours = [place / one for place in (target, target / VALIDATION) for one in (INDEX, UNFINISHED)]
    taken = target.exists() and (
        not target.is_dir()
        or (any(target.iterdir()) and not any(one.exists() for one in ours))
    )  # fmt: skip
    if taken:
        raise InputError(f"{target} is there already and holds other things; give another name")


def _check_disk(plan: Plan, *, fresh: bool) -> None:
    target = plan.folders[-1][1].absolute()
    there = next(one for one in (target, *target.parents) if one.exists())
    needed = 0
    for files, place in plan.folders:
        if fresh or not (place / INDEX).exists():
            parts = Making(plan.name, plan.scales, own_lr=bool(files.lr)).parts
            begun = [place / name for name in parts if (place / name).is_file()]
            needed += _most_of(files, plan.scales) - sum(one.stat().st_size for one in begun)
    free = shutil.disk_usage(there).free
    if needed > free:
        raise OSError(
            errno.ENOSPC, f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free",
            os.fspath(target),
        )  # fmt: skip


def _most_of(files: FolderFiles, scales: Sequence[int]) -> int:
    return sum(_most_bytes(header.size, scales) for header in files.headers.values())
