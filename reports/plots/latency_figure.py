"""Drawing of latency against multi-adds. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.frame import framed, plain_axis
from reports.plots.latency import LatencyInfo
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import BEST, DOT, FRONT, TRIAL, WALL

__all__ = ["draw_latency"]


def draw_latency(info: LatencyInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes."""
    groups = (
        ("other trial", [p for p in info.points if not p.on_front], TRIAL, "o", 24),
        ("front", [p for p in info.points if p.on_front and not p.is_best], FRONT, "o", 34),
        ("best trial", [p for p in info.points if p.is_best], BEST, "*", 190),
    )
    entries = [
        (
            label, bool(points),
            {"color": color, "marker": marker, "markersize": 12 if marker == "*" else 6, **DOT},
        )
        for label, points, color, marker, _ in reversed(groups)
    ]  # fmt: skip
    walls = info.wall_ms is not None or info.wall_g is not None
    entries.append(("budget", walls, {"color": WALL, "linewidth": 1.4}))
    frame = framed(info.title, info.subtitle, 1, sheet=sheet, entries=entries, panel_inches=6.7)
    (axis,) = frame.axes
    plain_axis(axis, *info.axis_labels)
    for _, points, color, marker, size in groups:
        axis.scatter(
            [p.macs_g for p in points], [p.latency_ms for p in points], s=size, marker=marker,
            color=color, edgecolors="white", linewidths=0.7,
        )  # fmt: skip
    if info.wall_ms is not None:
        axis.axhline(info.wall_ms, color=WALL, linewidth=1.4)
    if info.wall_g is not None:
        axis.axvline(info.wall_g, color=WALL, linewidth=1.4)
    axis.set_xlim(left=0)
    axis.set_ylim(bottom=0)
    return frame.figure
