"""The colour photos that ship inside scikit-image: data without a download."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from nas.data.photo import Photo
from search_spaces.errors import InputError

__all__ = ["EMBEDDED_TRAIN", "EMBEDDED_VALIDATION", "embedded_photos"]

EMBEDDED_TRAIN = (
    "astronaut.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
# Two natural photos, one of fur and one of smooth surfaces and edges: closest to the field's
# test sets. The microscope, the telescope and the fundus camera are for training only.
EMBEDDED_VALIDATION = ("chelsea.png", "coffee.png")

# The fundus photo is smooth, black in its corners, and 44% of all pixels: whole, it costs a
# proxy training (x4, 500 steps, two seeds) 0.06 to 0.09 dB on the validation photos.
_CENTRE_PX = {"retina.jpg": 360}


def embedded_photos() -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """The training photos and the validation photos, each in the order of their names.

    The files are read from the installed package; nothing is fetched. ``retina.jpg`` is cut to
    its central 360 x 360 pixels.

    Raises:
        InputError: scikit-image or one of its files is missing or damaged.
    """
    folder = _skimage_data_folder()
    return (
        tuple(_read(folder / name) for name in EMBEDDED_TRAIN),
        tuple(_read(folder / name) for name in EMBEDDED_VALIDATION),
    )


def _skimage_data_folder() -> Path:
    # Found, not imported: importing skimage.data would cost time and set up its downloader.
    spec = find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "the embedded photos come with scikit-image, which is not installed;"
            " install it or give an image folder with --data"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _read(path: Path) -> Photo:
    try:
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise InputError(
            f"the embedded photo {path} cannot be read ({error.__class__.__name__});"
            " reinstall scikit-image or give an image folder with --data"
        ) from error
    side = _CENTRE_PX.get(path.name, max(pixels.shape))
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    return Photo(path.name, pixels[top : top + side, left : left + side].copy())
