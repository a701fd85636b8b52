"""Names beside points, where they cover neither points nor lines nor each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.text import Text

from reports.plots.labels import Box, place_labels
from reports.plots.style import INK

__all__ = ["Name", "write_names"]


class Name(NamedTuple):
    """A point's name; the place is in the axis's own units."""

    text: str
    x: float
    y: float
    color: str = INK
    bold: bool = False


def write_names(
    axis: Axes,
    names: Sequence[Name],
    points: Sequence[tuple[float, float]],
    lines: Sequence[npt.NDArray[np.float64]] = (),
    taken: Sequence[Text] = (),
) -> None:
    """Writes the names; the figure has to be laid out.

    Args:
        axis: in which everything is.
        names: the more important ones first.
        points: all that are drawn, named or not.
        lines: (n, 2) points of each polyline that is better left visible.
        taken: texts that stand there already.
    """
    if not names:
        return
    texts = [
        axis.text(
            0, 0, name.text, size=8.5, ha="left", va="bottom", parse_math=False, zorder=6,
            color=name.color, weight="bold" if name.bold else "normal",
            # A stroke around it would make it outlines in PDF and SVG.
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.4},
        )
        for name in names
    ]  # fmt: skip
    boxes = [_box(text) for text in texts]
    sizes = [(box.right - box.left, box.top - box.bottom) for box in boxes]
    to_pixels, to_data = axis.transData, axis.transData.inverted()
    anchors = to_pixels.transform([(name.x, name.y) for name in names])
    covered = [to_pixels.transform(points), *(_samples(to_pixels.transform(one)) for one in lines)]
    pairs = [(float(x), float(y)) for x, y in anchors]
    inside = Box(*axis.bbox.extents)
    places = place_labels(pairs, sizes, np.vstack(covered), inside, [_box(one) for one in taken])
    for text, place, anchor in zip(texts, places, anchors, strict=True):
        x, y = to_data.transform((place.left, place.bottom))
        text.set_position((float(x), float(y)))
        nearest = np.clip(anchor, (place.left, place.bottom), (place.right, place.top))
        # A name that had to move away is tied to its point by a thin line.
        if np.hypot(*(nearest - anchor)) > 1.3 * (place.top - place.bottom):
            ends = to_data.transform([anchor, nearest])
            axis.plot(*ends.T, color=text.get_color(), linewidth=0.6, zorder=2.9)


def _box(text: Text) -> Box:
    return Box(*text.get_window_extent().extents)


def _samples(line: npt.NDArray[np.float64], apart: float = 8.0) -> npt.NDArray[np.float64]:
    """Points along a polyline about ``apart`` pixels from each other."""
    pieces = [line[:1]]
    for start, end in itertools.pairwise(line):
        count = max(int(np.hypot(*(end - start)) / apart), 1)
        pieces.append(np.linspace(start, end, count + 1)[1:])
    return np.vstack(pieces)
