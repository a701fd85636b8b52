"""Drawing of the hypervolume figure. Imported only when one is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.frame import framed, plain_axis
from reports.plots.progress import ProgressInfo
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import SERIES

__all__ = ["draw_progress"]


def draw_progress(info: ProgressInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes, a panel for each axis that is known."""
    axes = info.axes()
    entries = [
        (c.name, len(info.courses) > 1, {"color": SERIES[i % len(SERIES)], "linewidth": 1.6})
        for i, c in enumerate(info.courses)
    ]
    frame = framed(
        info.title, info.subtitle, len(axes), sheet=sheet, entries=entries, panel_inches=3.4,
        notes=info.note,
    )  # fmt: skip
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
    frame.label_up("Hypervolume [%]")
    return frame.figure
