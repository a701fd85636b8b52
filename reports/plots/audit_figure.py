"""Drawing of the audit's figure. Imported only when one is drawn."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.plots.audit import AuditInfo, Scatter
from reports.plots.style import DASHES, FAINT, FRONT, INK, TRIAL, save_figure

__all__ = ["draw_audit", "save_audit"]

_PANEL_INCHES, _HEIGHT_INCHES = 4.4, 5.0


def draw_audit(info: AuditInfo) -> Figure:
    """The figure that ``info`` describes, without touching matplotlib's global state."""
    count = len(info.scatters)
    bar_height = 0.34 * len(info.bars) + 2.2
    figure = Figure(
        figsize=(_PANEL_INCHES * (count + 1.35), max(_HEIGHT_INCHES, bar_height)),
        facecolor="white", layout="constrained",
    )  # fmt: skip
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"{info.title}\n{info.subtitle}", size=11, color=INK, x=0.01, ha="left", parse_math=False
    )
    axes = figure.subplots(1, count + 1, squeeze=False, width_ratios=[1] * count + [1.35])[0]
    for axis, scatter in zip(axes, info.scatters, strict=False):
        _draw_scatter(axis, scatter, info)
    axes[0].set_ylabel(info.long_label, color=INK)
    _draw_bars(axes[-1], info)
    return figure


def save_audit(info: AuditInfo, stem: Path | str) -> tuple[Path, ...]:
    """Draw the figure to ``stem.png`` (200 dpi) and ``stem.svg``, each written whole or not at all.

    The files are the same, byte for byte, whenever the info is.

    Raises:
        InputError: the folder cannot be written.
    """
    return save_figure(draw_audit(info), stem, "audit")


def _draw_scatter(axis: Axes, scatter: Scatter, info: AuditInfo) -> None:
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
    axis.set_xlabel(scatter.axis_label, color=INK)
    axis.set_title(scatter.legend, size=9, color=INK, loc="left", parse_math=False)
    axis.margins(x=0.08, y=0.08)
    _plain(axis)


def _draw_bars(axis: Axes, info: AuditInfo) -> None:
    places = np.arange(len(info.bars))[::-1]
    for offset, name, color in ((0.19, "at equal price", FRONT), (-0.19, "overall", TRIAL)):
        found = [bar.tau if name == "overall" else bar.tau_at_price for bar in info.bars]
        values = np.nan_to_num(np.array([one.value for one in found]))
        ends = np.array([[one.low, one.high] for one in found]).T
        reach = np.nan_to_num(np.abs(ends - values))
        axis.barh(places + offset, values, 0.36, color=color, label=name)
        axis.errorbar(
            values, places + offset, xerr=reach, color=INK, linestyle="none", elinewidth=0.8,
            capsize=1.5,
        )  # fmt: skip
    axis.axvline(0.0, color=INK, linewidth=0.8)
    if math.isfinite(info.ceiling.value):
        axis.axvspan(info.ceiling.low, info.ceiling.high, color=FAINT, alpha=0.12, linewidth=0)
        axis.axvline(
            info.ceiling.value, color=FAINT, linestyle=DASHES, label="ceiling, at equal price",
        )  # fmt: skip
    axis.set_yticks(places, [bar.label for bar in info.bars], parse_math=False)
    axis.set_xlabel("Kendall's tau with the long training, 90% interval", color=INK)
    axis.set_xlim(right=1.0)
    axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, frameon=False)
    if info.diverged:
        axis.set_title(f"{info.diverged} diverged: not drawn, counted as worst", size=8.5)
    _plain(axis, lines="x")


def _plain(axis: Axes, lines: str = "both") -> None:
    axis.tick_params(colors=INK, labelsize=8.5, length=3)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    if lines == "both":
        axis.ticklabel_format(useOffset=False)
    axis.grid(True, axis="x" if lines == "x" else "both", color="#E6E6E6", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
