"""Drawing of the dimensions' importance. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.frame import framed, plain_axis
from reports.plots.importance import ImportanceInfo
from reports.plots.style import SERIES, draw_legend

__all__ = ["draw_importance"]


def draw_importance(info: ImportanceInfo) -> Figure:
    """The figure that ``info`` describes: a group of bars a dimension, a bar a target."""
    count = len(info.dimensions)
    frame = framed(
        info.title, info.subtitle, 1, panel_inches=5.8, left_inches=2.2,
        height_inches=max(3.6, 2.0 + 0.36 * count),
    )  # fmt: skip
    (axis,) = frame.axes
    plain_axis(axis, "Share [%]")
    height = 0.78 / len(info.targets)
    for index, values in enumerate(info.percent):
        offset = (index - (len(info.targets) - 1) / 2) * height
        axis.barh(
            [i + offset for i in range(count)], values, height=0.9 * height, color=SERIES[index]
        )
    axis.set_yticks(range(count), info.dimensions)
    axis.invert_yaxis()
    entries = [
        (f"for {name}", True, {"color": SERIES[i], "linewidth": 6})
        for i, name in enumerate(info.targets)
    ]
    draw_legend(frame.figure, entries, frame.left, frame.legend_bottom)
    return frame.figure
