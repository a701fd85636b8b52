"""Which photos judge: a seeded split, none of them trained on, and a fingerprint of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from nas.data.photo import Photo

__all__ = ["apart", "least_side_px", "split"]

_FRACTION, _MOST = 0.1, 20

# SSIM's window is 11 pixels wide and the evaluation shaves ``scale`` pixels from every side.
_SSIM_WINDOW_PX = 11

Photos = tuple[Photo, ...]


def split(photos: Sequence[Photo], seed: int) -> tuple[Photos, Photos]:
    """(to train on, to validate on) of at least two photos, each in the order given.

    A tenth of them validates, rounded, at least 1 and at most 20.
    """
    count = min(_MOST, max(1, round(_FRACTION * len(photos))))
    held_out = set(np.random.default_rng(seed).permutation(len(photos))[:count].tolist())
    return (
        tuple(photo for index, photo in enumerate(photos) if index not in held_out),
        tuple(photo for index, photo in enumerate(photos) if index in held_out),
    )


def least_side_px(scale: int) -> int:
    """The shortest side of a photo to validate on, pixels."""
    # A mod-cropped side of this length, shaved, still holds one whole SSIM window.
    return -(-(_SSIM_WINDOW_PX + 2 * scale) // scale) * scale


def apart(scale: int, train: Sequence[Photo], sets: Mapping[str, Photos]) -> tuple[Photos, str]:
    """The photos that equal none of the sets' pixel by pixel, and a fingerprint of them and those.

    The fingerprint is 16 hex digits over the scale, and the names and pixels of all photos.
    """
    digests = [(photo, _digest(photo)) for photo in train]
    judging = {key: [(photo, _digest(photo)) for photo in photos] for key, photos in sets.items()}
    seen = {digest for photos in judging.values() for _, digest in photos}
    fresh = [(photo, digest) for photo, digest in digests if digest not in seen]
    whole = sha256(f"scale {scale}".encode())
    for part, photos in (("train", fresh), *judging.items()):
        for photo, digest in photos:
            whole.update(f"\n{part} {photo.name} {digest}".encode())
    return tuple(photo for photo, _ in fresh), whole.hexdigest()[:16]


def _digest(photo: Photo) -> str:
    digest = sha256(f"{photo.height} x {photo.width}".encode())
    digest.update(np.ascontiguousarray(photo.pixels).data)
    return digest.hexdigest()
