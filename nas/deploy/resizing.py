"""Enlarging by a whole number, as torch does, as sums of the pixels around."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["sums"]

Array = npt.NDArray[np.float64]


def sums(mode: str, where: str, scale: int) -> Array | None:
    """Of the ``scale`` pixels that one becomes along a side, the weights of it and those around.

    Args:
        mode: of ONNX's ``Resize``.
        where: its ``coordinate_transformation_mode``.
        scale: the factor.

    Returns:
        (scale, pixels), an odd number of pixels, the one itself in the middle; None: torch has no
        such mode.
    """
    if (mode, where) not in _WAYS:
        return None
    reach, weight = _WAYS[mode, where]
    middles = (np.arange(scale) + 0.5) / scale - 0.5
    return weight(np.abs(middles[:, None] - np.arange(-reach, reach + 1)))


def _linear(away: Array) -> Array:
    return np.maximum(1 - away, 0)


def _cubic(away: Array) -> Array:
    """Keys 1981 with torch's a of -0.75."""
    a = -0.75
    near = ((a + 2) * away - (a + 3)) * away**2 + 1
    far = ((a * away - 5 * a) * away + 8 * a) * away - 4 * a
    return np.where(away <= 1, near, np.where(away < 2, far, 0))


_WAYS: Mapping[tuple[str, str], tuple[int, Callable[[Array], Array]]] = {
    ("nearest", "asymmetric"): (0, np.ones_like),
    ("linear", "half_pixel"): (1, _linear),
    ("cubic", "half_pixel"): (2, _cubic),
}
"""How far the pixels reach that count, and what they count by how far they are."""
