"""The data of a search: photos to train on, photos to validate on, and their fingerprint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from nas.data.embedded import embedded_photos
from nas.data.folder import Progress, div2k_folders, read_folder
from nas.data.photo import Photo
from search_spaces.errors import InputError

__all__ = ["VALIDATION_FRACTION", "VALIDATION_MOST", "Dataset", "load_dataset", "photo_digest"]

VALIDATION_FRACTION = 0.1
"""Share of a folder's photos that a seeded split sets apart for validation, rounded."""
VALIDATION_MOST = 20
"""Most photos that a seeded split sets apart."""

# SSIM's window is 11 pixels wide and the evaluation shaves ``scale`` pixels from every side.
_SSIM_WINDOW_PX = 11


@dataclass(frozen=True, slots=True)
class Dataset:
    """Photos for training and validation; no photo is in both.

    Attributes:
        name: ``"embedded"`` or the folder's name, ``+val:NAME`` added for a validation folder.
        scale: the factor the photos were chosen for: 2, 3 or 4.
        train: photos to train on, HR, not cropped to a multiple of the scale.
        validation: photos to validate on, likewise.
        fingerprint: 16 hex digits over the scale and the names and pixels of both parts; the
            same on every machine that decodes the same files to the same pixels.
        skipped: files of the folders that were left out, by reason.
    """

    name: str
    scale: int
    train: tuple[Photo, ...]
    validation: tuple[Photo, ...]
    fingerprint: str
    skipped: Mapping[str, int]


def load_dataset(
    scale: int,
    *,
    data: Path | None = None,
    validation: Path | None = None,
    seed: int = 0,
    lr_size: int = 48,
    memory_cap_bytes: int = 10**9,
    progress: Progress | None = None,
) -> Dataset:
    """The photos of a search, read into memory.

    Without ``data``, the photos that ship inside scikit-image. With ``data``, a folder read by
    :func:`nas.data.folder.read_folder`; the validation photos come from the first of these that
    is given: the ``validation`` folder, a ``DIV2K_valid_HR`` beside ``DIV2K_train_HR``, a split
    drawn with ``seed`` (a tenth of the photos, at least 1 and at most 20). A training photo that
    equals a validation photo pixel by pixel is left out (``also in validation``).

    Args:
        scale: upscaling factor, 2, 3 or 4.
        data: folder of HR photos to train on.
        validation: folder of HR photos to validate on.
        seed: draws the split and what is kept under the memory cap.
        lr_size: side of the LR training patches in pixels; photos that hold no patch of
            ``lr_size * scale`` pixels are too small to train on.
        memory_cap_bytes: most bytes of decoded folder photos to keep; a validation folder may
            take a quarter of it.
        progress: called with (files read, files to read) while a folder is read.

    Raises:
        InputError: a folder is missing or holds too few usable photos, or a bad ``scale`` or
            ``seed``.
    """
    if scale not in (2, 3, 4):
        raise InputError(f"scale must be 2, 3 or 4, got {scale}")
    if seed < 0:
        raise InputError(f"seed: expected at least 0, got {seed}")
    train_folder, held_out_folder = data, validation
    if data is not None and (layout := div2k_folders(data)):
        train_folder, held_out_folder = layout[0], validation or layout[1]
    if validation is not None and (layout := div2k_folders(validation)) and layout[1]:
        held_out_folder = layout[1]

    skipped: Counter[str] = Counter()
    held_out: tuple[Photo, ...] = ()
    if held_out_folder is not None:
        # A mod-cropped side of this length, shaved, still holds one whole SSIM window.
        least_px = -(-(_SSIM_WINDOW_PX + 2 * scale) // scale) * scale
        read = read_folder(
            held_out_folder,
            min_side_px=least_px,
            memory_cap_bytes=memory_cap_bytes // 4,
            seed=seed,
            progress=progress,
        )
        held_out = read.photos
        skipped.update(read.skipped)
    if train_folder is None:
        train, embedded_validation = embedded_photos()
        held_out = held_out or embedded_validation
    else:
        read = read_folder(
            train_folder,
            min_side_px=scale * lr_size,
            at_least=1 if held_out else 2,
            memory_cap_bytes=memory_cap_bytes - sum(photo.pixels.nbytes for photo in held_out),
            seed=seed,
            progress=progress,
        )
        skipped.update(read.skipped)
        train = read.photos
        if not held_out:
            train, held_out = _split(train, seed)

    digests = {id(photo): photo_digest(photo) for photo in (*train, *held_out)}
    seen = {digests[id(photo)] for photo in held_out}
    fresh = tuple(photo for photo in train if digests[id(photo)] not in seen)
    if not fresh:
        raise InputError(
            f"all {len(train)} training photos are validation photos too;"
            " give other photos for validation"
        )
    if len(fresh) < len(train):
        skipped["also in validation"] = len(train) - len(fresh)
    whole = sha256(f"scale {scale}".encode())
    for part, photos in (("train", fresh), ("validation", held_out)):
        for photo in photos:
            whole.update(f"\n{part} {photo.name} {digests[id(photo)]}".encode())
    name = "embedded" if data is None else data.resolve().name
    if validation is not None:
        name += f"+val:{validation.resolve().name}"
    return Dataset(name, scale, fresh, held_out, whole.hexdigest()[:16], dict(skipped))


def _split(photos: Sequence[Photo], seed: int) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """(train, validation) of at least two photos, each in the order given."""
    count = min(VALIDATION_MOST, max(1, round(VALIDATION_FRACTION * len(photos))))
    held_out = set(np.random.default_rng(seed).permutation(len(photos))[:count].tolist())
    return (
        tuple(photo for index, photo in enumerate(photos) if index not in held_out),
        tuple(photo for index, photo in enumerate(photos) if index in held_out),
    )


def photo_digest(photo: Photo) -> str:
    """Hash of a photo's shape and pixels, hex."""
    digest = sha256(f"{photo.height} x {photo.width}".encode())
    digest.update(np.ascontiguousarray(photo.pixels).data)
    return digest.hexdigest()
