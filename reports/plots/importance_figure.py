"""Drawing of the dimensions' importance. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from reports.plots.frame import framed, plain_axis
from reports.plots.importance import ImportanceInfo
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import SERIES

__all__ = ["draw_importance"]

_NARROW_INCHES = 5.0


def draw_importance(info: ImportanceInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes: a group of bars a dimension, a bar a target."""
    count = len(info.dimensions)
    entries = [
        (f"for {name}", True, {"color": SERIES[i], "linewidth": 6})
        for i, name in enumerate(info.targets)
    ]
    # A column has no room for long names on one line.
    narrow = sheet.width_inches is not None and sheet.width_inches < _NARROW_INCHES
    frame = framed(
        info.title, info.subtitle, 1, sheet=sheet, entries=entries, panel_inches=5.8,
        left_inches=1.4 if narrow else 2.2, height_inches=max(1.77, 0.17 + 0.36 * count),
    )  # fmt: skip
    (axis,) = frame.axes
    plain_axis(axis, "Share [%]")
    height = 0.78 / len(info.targets)
    for index, values in enumerate(info.percent):
        offset = (index - (len(info.targets) - 1) / 2) * height
        axis.barh(
            [i + offset for i in range(count)], values, height=0.9 * height, color=SERIES[index]
        )
    letters = 20 if narrow else 40
    axis.set_yticks(range(count), [textwrap.fill(name, letters) for name in info.dimensions])
    axis.invert_yaxis()
    return frame.figure
