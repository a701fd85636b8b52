"""Drawing of what stopping early saved. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.plots.frame import framed, plain_axis
from reports.plots.savings import SavingsInfo
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import FRONT, INK, TRIAL, WALL

__all__ = ["draw_savings"]

_COLOURS = {"trained to the end": FRONT, "stopped early": TRIAL, "failed": WALL}


def draw_savings(info: SavingsInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes: the steps by use, and where networks were stopped."""
    frame = framed(info.title, info.subtitle, 2, sheet=sheet, panel_inches=4.2,
                   shared=False, gap=0.45, left_inches=1.5)  # fmt: skip
    steps, rungs = frame.axes
    plain_axis(steps, "Training steps")
    names = [f"{share.label}\n({share.networks})" for share in info.shares]
    bars = steps.barh(names, [share.steps for share in info.shares], height=0.62)
    for bar, share in zip(bars, info.shares, strict=True):
        bar.set_color(_COLOURS.get(share.label, "white"))
        if not share.spent:
            bar.set(edgecolor=FRONT, linewidth=1.2, hatch="//", facecolor="white")
    steps.bar_label(
        bars, labels=[f" {share.steps:,}" for share in info.shares], size=8.5, color=INK
    )
    steps.margins(x=0.2)
    steps.invert_yaxis()
    plain_axis(rungs, "Stopped at step", "Networks")
    at = [f"{step:,}" for step, _ in info.rungs]
    counted = rungs.bar(at, [count for _, count in info.rungs], width=0.6, color=TRIAL)
    rungs.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    rungs.bar_label(counted, size=8.5, color=INK)
    return frame.figure
