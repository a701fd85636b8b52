"""Drawing of several runs' fronts. Imported only when they are drawn: it loads matplotlib."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from reports.plots.comparison import ComparisonInfo, ComparisonPanel
from reports.plots.frame import framed, plain_axis
from reports.plots.names import Name, write_names
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import DOT, FAINT, SERIES

__all__ = ["draw_comparison"]


def draw_comparison(info: ComparisonInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes: a run a colour for its front, budget and systems."""
    names = {front.run: front.name for panel in info.panels for front in panel.fronts}
    entries = [
        (name, True, {"color": SERIES[i % len(SERIES)], "marker": "o", "markersize": 5})
        for i, name in sorted(names.items())
    ]
    named = any(front.published for panel in info.panels for front in panel.fronts)
    entries.append(
        ("published system, trained here", named, {"color": FAINT, "marker": "D", **DOT})
    )
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
            systems = list(front.published.values())
            axis.scatter(
                [cost for _, cost, _ in systems], [psnr for *_, psnr in systems], s=32, marker="D",
                color=color, edgecolors="white", linewidths=0.7, zorder=3.2,
            )  # fmt: skip
            if front.wall is not None and front.wall <= 2 * reach:
                axis.axvline(front.wall, color=color, linewidth=1.2, linestyle=(0, (5, 2)))
        if panel.objective.by_ratio:
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.6g}"))
            axis.xaxis.set_minor_formatter(NullFormatter())
    frame.label_up("PSNR-Y [dB]")
    # Text has its place and size only once the figure has been laid out.
    frame.figure.draw_without_rendering()
    for axis, panel in zip(frame.axes, info.panels, strict=True):
        _write_names(axis, panel)
    return frame.figure


def _write_names(axis: Axes, panel: ComparisonPanel) -> None:
    names = [
        Name(name, cost, psnr, SERIES[front.run % len(SERIES)])
        for front in panel.fronts
        for name, (_, cost, psnr) in front.published.items()
    ]
    paths = [[(cost, psnr) for _, cost, psnr in front.points] for front in panel.fronts]
    points = [*(point for path in paths for point in path), *((n.x, n.y) for n in names)]
    write_names(axis, names, points, [np.array(path) for path in paths])
