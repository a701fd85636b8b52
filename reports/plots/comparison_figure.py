"""Drawing of several runs' fronts. Imported only when they are drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.comparison import ComparisonInfo
from reports.plots.frame import framed, plain_axis
from reports.plots.style import INK, SERIES, draw_legend

__all__ = ["draw_comparison"]


def draw_comparison(info: ComparisonInfo) -> Figure:
    """The figure that ``info`` describes: a front a run, its budget as a line of its colour."""
    frame = framed(info.title, info.subtitle, len(info.panels), notes=";  ".join(info.differences))
    names: dict[int, str] = {}
    for axis, panel in zip(frame.axes, info.panels, strict=True):
        plain_axis(axis, panel.axis_label)
        reach = max(cost for front in panel.fronts for _, cost, _ in front.points)
        for front in panel.fronts:
            color = SERIES[front.run % len(SERIES)]
            names[front.run] = front.name
            axis.plot(
                [cost for _, cost, _ in front.points], [psnr for *_, psnr in front.points],
                color=color, drawstyle="steps-post", marker="o", markersize=4.5, linewidth=1.5,
            )  # fmt: skip
            if front.wall is not None and front.wall <= 2 * reach:
                axis.axvline(front.wall, color=color, linewidth=1.2, linestyle=(0, (5, 2)))
    frame.axes[0].set_ylabel("PSNR-Y [dB]", color=INK)
    entries = [
        (name, True, {"color": SERIES[i % len(SERIES)], "marker": "o", "markersize": 5})
        for i, name in sorted(names.items())
    ]
    draw_legend(frame.figure, entries, frame.left, frame.legend_bottom)
    return frame.figure
