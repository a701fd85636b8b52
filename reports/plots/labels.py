"""Where to put names beside points so that they cover neither each other nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Box", "place_labels"]

_DIRECTIONS = tuple(range(0, 360, 15))
_RINGS = (0.6, 1.6, 2.8, 4.2, 6.0, 8.0, 10.5, 13.5)
# Between two labels, in shares of a label's height; twice as much between neighbours on a line.
_APART = 0.12
_Points: TypeAlias = npt.NDArray[np.float64]


class Box(NamedTuple):
    """An axis-parallel rectangle; any unit, the same for all."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.top - self.bottom)


def place_labels(
    anchors: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    obstacles: npt.ArrayLike,
    frame: Box,
    taken: Sequence[Box] = (),
    clearance: float = 4.0,
) -> list[Box]:
    """A box for each label, near its anchor.

    Boxes stay a little apart, so that names which follow one another are not read as one.
    Greedy, in the order given: each label takes the cheapest of many places on rings around its
    anchor, where distance costs little, a covered obstacle more, and another label or the
    frame's edge most, and a touch as much. The same input gives the same places.

    Args:
        anchors: (x, y) of the labelled points.
        sizes: (width, height) of the labels.
        obstacles: (n, 2) points better left visible, such as the markers and a line's samples.
        frame: where labels may be.
        taken: boxes that are occupied already.
        clearance: how far from an obstacle a label stays, such as a marker's radius.
    """
    points = np.asarray(obstacles, dtype=np.float64).reshape(-1, 2)
    placed = list(taken)
    for anchor, size in zip(anchors, sizes, strict=True):
        places = [
            (ring, _beside(anchor, size, angle, ring)) for ring in _RINGS for angle in _DIRECTIONS
        ]
        costs = [_cost(box, ring, points, frame, placed, clearance) for ring, box in places]
        placed.append(places[int(np.argmin(costs))][1])
    return placed[len(taken) :]


def _beside(anchor: tuple[float, float], size: tuple[float, float], angle: int, ring: float) -> Box:
    """The label's box in a direction, its nearest edge about ``ring`` label heights away."""
    width, height = size
    across, up = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    # Moving the centre by half the size as well keeps the gap equal in every direction.
    x = anchor[0] + across * (width / 2 + ring * height)
    y = anchor[1] + up * (height / 2 + ring * height)
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _cost(
    box: Box,
    ring: float,
    obstacles: _Points,
    frame: Box,
    placed: Sequence[Box],
    clearance: float,
) -> float:
    x, y = obstacles.T
    across = (x > box.left - clearance) & (x < box.right + clearance)
    # Glyphs seldom fill their box's height, so less is needed above and below.
    up = (y > box.bottom - clearance / 2) & (y < box.top + clearance / 2)
    # Names that touch are read as one.
    apart = _APART * (box.top - box.bottom)
    grown = Box(box.left - 2 * apart, box.bottom - apart, box.right + 2 * apart, box.top + apart)
    shares = [grown.overlap(other) / box.area for other in placed] + [
        1 - box.overlap(frame) / box.area
    ]
    # A touch counts at once, more than any crowd: half a glyph hidden is as bad as two.
    clash = sum(300 + 60 * share for share in shares if share > 1e-9)
    return float(ring + 2.5 * (across & up).sum() + clash)
