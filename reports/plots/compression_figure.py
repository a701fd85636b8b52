"""Drawing of the compression path. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

import itertools
from typing import Any

from matplotlib.figure import Figure

from reports.plots.compression import CompressionInfo
from reports.plots.frame import framed, plain_axis
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import BEST, FRONT, INK, WALL

__all__ = ["draw_compression"]


def draw_compression(info: CompressionInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes: arrows from each step to the next."""
    entries: list[tuple[str, bool, dict[str, Any]]] = [
        ("compression", True, {"color": BEST, "marker": "D", "markersize": 6, "linewidth": 1.2}),
        (
            "not kept",
            any(not p.kept for panel in info.panels for p in panel.points),
            {"color": BEST, "marker": "D", "fillstyle": "none", "linestyle": "none"},
        ),
        ("the search's front", True, {"color": FRONT, "marker": "o", "markersize": 4}),
        ("budget", any(p.wall is not None for p in info.panels), {"color": WALL}),
    ]
    frame = framed(
        info.title, info.subtitle, len(info.panels), sheet=sheet, entries=entries,
        panel_inches=5.2,
    )  # fmt: skip
    for axis, panel in zip(frame.axes, info.panels, strict=True):
        plain_axis(axis, panel.axis_label)
        axis.plot(*zip(*panel.front, strict=True), color=FRONT, marker="o", markersize=4,
                  linewidth=1.2, alpha=0.55)  # fmt: skip
        pairs = [pair for path in panel.paths for pair in itertools.pairwise(path)]
        for before, after in pairs:
            axis.annotate(
                "", (after.cost, after.psnr_y_db), (before.cost, before.psnr_y_db),
                arrowprops={"arrowstyle": "->", "color": BEST, "linewidth": 1.2},
            )  # fmt: skip
        for kept in (True, False):
            shown = [p for p in panel.points if p.kept == kept]
            axis.plot(
                [p.cost for p in shown], [p.psnr_y_db for p in shown], color=BEST, marker="D",
                markersize=5.5, linestyle="none", fillstyle="full" if kept else "none",
            )  # fmt: skip
        for point in panel.points:
            axis.annotate(
                point.label, (point.cost, point.psnr_y_db), xytext=(6, -4),
                textcoords="offset points", size=8.5, color=INK, parse_math=False,
            )  # fmt: skip
        if panel.wall is not None:
            axis.axvline(panel.wall, color=WALL, linewidth=1.4)
        axis.margins(x=0.15)
    frame.label_up("PSNR-Y [dB]")
    return frame.figure
