"""Drawing of several runs' fronts. Imported only when they are drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.comparison import ComparisonInfo
from reports.plots.frame import framed, plain_axis
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import SERIES

__all__ = ["draw_comparison"]


def draw_comparison(info: ComparisonInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes: a front a run, its budget as a line of its colour."""
    names = {front.run: front.name for panel in info.panels for front in panel.fronts}
    entries = [
        (name, True, {"color": SERIES[i % len(SERIES)], "marker": "o", "markersize": 5})
        for i, name in sorted(names.items())
    ]
    frame = framed(
        info.title, info.subtitle, len(info.panels), sheet=sheet, entries=entries,
        notes=";  ".join(info.differences),
    )  # fmt: skip
    for axis, panel in zip(frame.axes, info.panels, strict=True):
        plain_axis(axis, panel.axis_label)
        reach = max(cost for front in panel.fronts for _, cost, _ in front.points)
        for front in panel.fronts:
            color = SERIES[front.run % len(SERIES)]
            axis.plot(
                [cost for _, cost, _ in front.points], [psnr for *_, psnr in front.points],
                color=color, drawstyle="steps-post", marker="o", markersize=4.5, linewidth=1.5,
            )  # fmt: skip
            if front.wall is not None and front.wall <= 2 * reach:
                axis.axvline(front.wall, color=color, linewidth=1.2, linestyle=(0, (5, 2)))
    frame.label_up("PSNR-Y [dB]")
    return frame.figure
