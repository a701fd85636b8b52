"""Which photos judge: drawn once and for all, not trained on; and a fingerprint of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np

from nas.data.photo import Photo

__all__ = ["LR_SIZE", "apart", "draw", "least_side_px"]

LR_SIZE = 24
"""Side of the LR patches of most searches, pixels: photos that hold one may judge."""

_FRACTION, _MOST = 0.1, 20

# SSIM's window is 11 pixels wide and the evaluation shaves ``scale`` pixels from every side.
_SSIM_WINDOW_PX = 11

Photos = tuple[Photo, ...]


def draw(sides_px: Sequence[int], scale: int) -> tuple[Sequence[int], int]:
    """Which photos of a folder judge.

    They are drawn from those that hold `LR_SIZE` x `LR_SIZE` LR pixels, whatever patches are
    trained on, and however many photos are; where fewer than two do, from all that can be
    measured on.

    Args:
        sides_px: the shorter side of each photo.
        scale: 1, 2, 3 or 4.

    Returns:
        Indices of the photos that may judge, in the order in which they are drawn, and how many
        shall: a tenth, rounded, at least 1 and at most 20.
    """
    for least_px in (LR_SIZE * scale, least_side_px(scale)):
        may = [index for index, side_px in enumerate(sides_px) if side_px >= least_px]
        if len(may) > 1:
            break
    # Drawn once and for all: whoever reads the folder again finds the same ones.
    order = np.random.default_rng(0).permutation(len(may)).tolist()
    return [may[place] for place in order], min(_MOST, max(1, round(_FRACTION * len(may))))


def least_side_px(scale: int) -> int:
    """The shortest side of a photo to validate on, pixels."""
    # A mod-cropped side of this length, shaved, still holds one whole SSIM window.
    return -(-(_SSIM_WINDOW_PX + 2 * scale) // scale) * scale


def apart(scale: int, train: Sequence[Photo], sets: Mapping[str, Photos]) -> tuple[Photos, str]:
    """The photos that equal none of the sets' pixel by pixel, and a fingerprint of them and those.

    A photo whose HR equals that of one that judges is not trained on, whatever their LR. The
    fingerprint is 16 hex digits over the scale, and the names and pixels of all photos, those of
    their own LR too, and what their degradations do.
    """
    digests = [(photo, photo.digests()) for photo in train]
    judging = {key: [(photo, photo.digests()) for photo in photos] for key, photos in sets.items()}
    seen = {digest.hr for photos in judging.values() for _, digest in photos}
    fresh = [(photo, digest) for photo, digest in digests if digest.hr not in seen]
    whole = sha256(f"scale {scale}".encode())
    for part, photos in (("train", fresh), *judging.items()):
        for photo, digest in photos:
            own = "" if digest.lr is None else f" {digest.lr}"
            if digest.lr is None and photo.degradation is not None:
                own += f" by {photo.degradation.digest}"
            whole.update(f"\n{part} {photo.name} {digest.hr}{own}".encode())
    return tuple(photo for photo, _ in fresh), whole.hexdigest()[:16]
