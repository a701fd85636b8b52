"""Drawing of the rung curves. Imported only when they are drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.frame import framed, plain_axis
from reports.plots.rungs import RungsInfo
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import BEST, DASHES, FAINT, FRONT, TRIAL

__all__ = ["draw_rungs"]


def draw_rungs(info: RungsInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes; what was stopped stays faint."""
    entries = [
        ("best", info.best is not None, {"color": BEST, "linewidth": 2, "marker": "o"}),
        ("trained to the end", True, {"color": FRONT, "linewidth": 1.2}),
        (
            "stopped early", any(line.stopped for line in info.lines),
            {"color": TRIAL, "linewidth": 1.2, "marker": "x", "markersize": 4},
        ),
        (
            info.baseline, info.bicubic_psnr_y_db is not None,
            {"color": FAINT, "linestyle": DASHES, "linewidth": 1},
        ),
    ]  # fmt: skip
    frame = framed(info.title, info.subtitle, 1, sheet=sheet, entries=entries, panel_inches=6.7)
    (axis,) = frame.axes
    plain_axis(axis, "Training steps", "PSNR-Y [dB]")
    for line in sorted(info.lines, key=lambda one: not one.stopped):
        color, alpha = (TRIAL, 0.45) if line.stopped else (FRONT, 0.5)
        axis.plot(line.steps, line.psnr_y_db, color=color, alpha=alpha, linewidth=0.9)
        axis.plot(
            line.steps[-1:], line.psnr_y_db[-1:], color=color, alpha=min(1.0, alpha + 0.2),
            marker="x" if line.stopped else "o", markersize=3.2, linestyle="none",
        )  # fmt: skip
    if info.best is not None:
        axis.plot(
            info.best.steps, info.best.psnr_y_db, color=BEST, linewidth=2, marker="o", markersize=4
        )
    if info.bicubic_psnr_y_db is not None:
        axis.axhline(info.bicubic_psnr_y_db, color=FAINT, linewidth=1, linestyle=DASHES)
    axis.set(ylim=info.psnr_range_db)
    axis.set_xlim(left=0)
    return frame.figure
