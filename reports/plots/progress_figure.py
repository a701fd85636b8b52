"""Drawing of the hypervolume figure. Imported only when one is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.frame import framed, plain_axis
from reports.plots.progress import ProgressInfo
from reports.plots.style import SERIES, draw_legend

__all__ = ["draw_progress"]


def draw_progress(info: ProgressInfo) -> Figure:
    """The figure that ``info`` describes, a panel for each axis that is known."""
    axes = info.axes()
    frame = framed(info.title, info.subtitle, len(axes), panel_inches=3.4, notes=info.note)
    for axis, name in zip(frame.axes, axes, strict=True):
        unit, divisor = info.units[name]
        plain_axis(axis, f"{info.labels[name]}{f' [{unit}]' if unit else ''}")
        for index, course in enumerate(info.courses):
            across = [value / divisor for value in getattr(course, name)]
            axis.step(
                [0.0, *across], [0.0, *course.hypervolume], where="post",
                color=SERIES[index % len(SERIES)], linewidth=1.6,
            )  # fmt: skip
        axis.set(ylim=(0, 103))
        axis.set_xlim(left=0)
    frame.axes[0].set_ylabel("Hypervolume [%]")
    if len(info.courses) > 1:
        entries = [
            (c.name, True, {"color": SERIES[i % len(SERIES)], "linewidth": 1.6})
            for i, c in enumerate(info.courses)
        ]
        draw_legend(frame.figure, entries, frame.left, frame.legend_bottom)
    return frame.figure
