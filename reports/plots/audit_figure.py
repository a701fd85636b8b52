"""Drawing of the audit's figure. Imported only when one is drawn."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.plots.audit import AuditInfo, Scatter
from reports.plots.frame import framed, panel_inches, plain_axis
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import DASHES, FAINT, FRONT, INK, TRIAL, Entries, save_figure

__all__ = ["draw_audit", "save_audit"]

_PANEL_INCHES, _LEFT_INCHES, _HEIGHT_INCHES, _BAR_INCHES = 4.4, 1.3, 3.2, 0.3
# Of the line over the points.
_CHARACTERS_AN_INCH = 14
# Room for the signals' names beside the bars, in shares of a panel.
_GAP = 0.42


def draw_audit(info: AuditInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes, without touching matplotlib's global state."""
    diverged = f"{info.diverged} diverged: not drawn, counted as worst" if info.diverged else ""
    frame = framed(
        info.title, info.subtitle, len(info.scatters) + 1, sheet=sheet, entries=_legend(info),
        panel_inches=_PANEL_INCHES, left_inches=_LEFT_INCHES, shared=False, gap=_GAP,
        notes=diverged, height_inches=max(_HEIGHT_INCHES, _BAR_INCHES * len(info.bars)),
    )  # fmt: skip
    for axis, scatter in zip(frame.axes, info.scatters, strict=False):
        _draw_scatter(axis, scatter, info)
    _draw_bars(frame.axes[-1], info)
    return frame.figure


def save_audit(info: AuditInfo, stem: Path | str) -> tuple[Path, ...]:
    """Draw the figure to ``stem.png`` (200 dpi) and ``stem.svg``, each written whole or not at all.

    The files are the same, byte for byte, whenever the info is.

    Raises:
        InputError: the folder cannot be written.
    """
    return save_figure(draw_audit(info), stem, "audit")


def _draw_scatter(axis: Axes, scatter: Scatter, info: AuditInfo) -> None:
    plain_axis(axis, scatter.axis_label, info.long_label)
    x_noise, y_noise = (
        noise if math.isfinite(noise) else None for noise in (scatter.noise_db, info.long_noise_db)
    )
    if scatter.points:
        x, y = np.array(scatter.points).T
        axis.axhline(0.0, color=FAINT, linewidth=0.8)
        axis.axvline(0.0, color=FAINT, linewidth=0.8)
        axis.errorbar(
            x, y, xerr=x_noise, yerr=y_noise, color=FRONT, marker="o", markersize=5.5,
            linestyle="none", elinewidth=0.6, markeredgecolor="white",
        )  # fmt: skip
    told = textwrap.fill(scatter.legend, int(_CHARACTERS_AN_INCH * panel_inches(axis)[0]))
    axis.text(
        0.02, 0.99, told, size=8.5, color=INK, va="top", transform=axis.transAxes,
        parse_math=False, bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.4},
    )  # fmt: skip
    # A line of text stands over the points.
    axis.margins(x=0.08, y=0.2)
    axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.ticklabel_format(useOffset=False)


def _draw_bars(axis: Axes, info: AuditInfo) -> None:
    plain_axis(axis, "Kendall's tau, 90% interval")
    places = np.arange(len(info.bars))[::-1]
    for offset, name, color in ((0.19, "at equal price", FRONT), (-0.19, "overall", TRIAL)):
        found = [bar.tau if name == "overall" else bar.tau_at_price for bar in info.bars]
        values = np.nan_to_num(np.array([one.value for one in found]))
        ends = np.array([[one.low, one.high] for one in found]).T
        reach = np.nan_to_num(np.abs(ends - values))
        axis.barh(places + offset, values, 0.36, color=color)
        axis.errorbar(
            values, places + offset, xerr=reach, color=INK, linestyle="none", elinewidth=0.8,
            capsize=1.5,
        )  # fmt: skip
    axis.axvline(0.0, color=INK, linewidth=0.8)
    if math.isfinite(info.ceiling.value):
        axis.axvspan(info.ceiling.low, info.ceiling.high, color=FAINT, alpha=0.12, linewidth=0)
        axis.axvline(info.ceiling.value, color=FAINT, linestyle=DASHES)
    axis.set_yticks(places, [bar.label for bar in info.bars], parse_math=False)
    axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.grid(False, axis="y")
    axis.set_xlim(right=1.0)


def _legend(info: AuditInfo) -> Entries:
    return [
        ("tau at equal price", True, {"color": FRONT, "linewidth": 6}),
        ("overall", True, {"color": TRIAL, "linewidth": 6}),
        (
            "ceiling, at equal price",
            math.isfinite(info.ceiling.value),
            {"color": FAINT, "linestyle": DASHES},
        ),
    ]
