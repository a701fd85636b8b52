"""The photos of a full training: what it learns from, and the named sets it is judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from nas.data import Dataset, Photo, load_dataset
from nas.data.dataset import VALIDATION_MOST, photo_digest
from nas.data.folder import Progress, div2k_folders, read_folder
from search_spaces.errors import InputError

__all__ = ["TrainingPhotos", "load_photos"]

# SSIM's window, and the pixels that are shaved off every side before it.
_LEAST_INNER_PX = 11


@dataclass(frozen=True, slots=True)
class TrainingPhotos:
    """Photos for training and validation; no photo of a set is trained on.

    Attributes:
        name: of the data, for people.
        train: HR photos to train on.
        sets: HR photos to validate on, by the set's name; the first set chooses the best weights.
        fingerprint: 16 hex digits over names and pixels of all.
        skipped: how many files were left out, by reason.
    """

    name: str
    train: tuple[Photo, ...]
    sets: Mapping[str, tuple[Photo, ...]]
    fingerprint: str
    skipped: Mapping[str, int]

    @classmethod
    def of(cls, dataset: Dataset) -> TrainingPhotos:
        """Those of a search, as it split them."""
        sets = {"validation": dataset.validation}
        return cls(dataset.name, dataset.train, sets, dataset.fingerprint, dataset.skipped)


def load_photos(
    data: Path | None,
    validation: Mapping[str, Path],
    *,
    scale: int,
    lr_size: int,
    memory_cap_bytes: int | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> TrainingPhotos:
    """Reads the photos of a training into memory.

    Without ``validation``, the last 20 training photos by name are set apart, of fewer than 200
    a tenth; DIV2K's own validation folder takes their place where it lies beside.

    Args:
        data: folder of HR photos; None: the photos inside scikit-image.
        validation: folders of HR photos by the set's name.
        scale: upscaling factor, 2, 3 or 4.
        lr_size: side of the largest training patch, LR pixels; smaller photos are left out.
        memory_cap_bytes: most decoded bytes to keep; default: half of the machine's memory.
        processes: how many read the photos on this machine and share that memory.
        progress: called with (files read, files to read) of the training folder.

    Raises:
        InputError: a folder is missing or holds too few usable photos.
    """
    if data is None:
        dataset = load_dataset(scale, lr_size=lr_size)
        chosen = TrainingPhotos.of(dataset)
        if not validation:
            return chosen
        name, train, skipped = chosen.name, chosen.train, dict(chosen.skipped)
        sets = {key: _read_set(key, folder, scale) for key, folder in validation.items()}
        return _made(name, train, sets, scale, skipped)
    layout = div2k_folders(data)
    folder, beside = layout or (data, None)
    if beside is not None and not validation:
        validation = {beside.name: beside}
    sets = {key: _read_set(key, place, scale) for key, place in validation.items()}
    read = read_folder(
        folder,
        min_side_px=scale * lr_size,
        at_least=1 if sets else 2,
        memory_cap_bytes=memory_cap_bytes or _half_of_memory() // processes,
        progress=progress,
    )
    train = read.photos
    if not sets:
        count = min(VALIDATION_MOST, max(1, len(train) // 10))
        train, sets = train[:-count], {"validation": train[-count:]}
    return _made(data.resolve().name, train, sets, scale, dict(read.skipped))


def _read_set(name: str, folder: Path, scale: int) -> tuple[Photo, ...]:
    # A mod-cropped side of this length, shaved, still holds one whole SSIM window.
    least_px = -(-(_LEAST_INNER_PX + 2 * scale) // scale) * scale
    try:
        return read_folder(folder, min_side_px=least_px).photos
    except InputError as error:
        raise InputError(f"--val {name}: {error}") from None


def _made(
    name: str,
    train: Sequence[Photo],
    sets: Mapping[str, tuple[Photo, ...]],
    scale: int,
    skipped: dict[str, int],
) -> TrainingPhotos:
    held_out = {photo_digest(photo) for photos in sets.values() for photo in photos}
    digests = [(photo, photo_digest(photo)) for photo in train]
    fresh = [(photo, digest) for photo, digest in digests if digest not in held_out]
    if not fresh:
        raise InputError(
            f"all {len(train)} training photos are validation photos too; give others for --val"
        )
    if len(fresh) < len(train):
        skipped["also in validation"] = len(train) - len(fresh)
    whole = sha256(f"scale {scale}".encode())
    for photo, digest in fresh:
        whole.update(f"\ntrain {photo.name} {digest}".encode())
    for key, photos in sets.items():
        for photo in photos:
            whole.update(f"\n{key} {photo.name} {photo_digest(photo)}".encode())
    kept = tuple(photo for photo, _ in fresh)
    return TrainingPhotos(name, kept, dict(sets), whole.hexdigest()[:16], skipped)


def _half_of_memory() -> int:
    import psutil

    # Of the machine, not of what is free just now: the same command finds the same photos again.
    return int(psutil.virtual_memory().total) // 2
