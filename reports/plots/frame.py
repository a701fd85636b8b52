"""The frame of every printed figure: title, panels side by side, legend and notes beneath."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reports.plots.style import FAINT, GRID, INK

__all__ = ["Frame", "framed", "plain_axis"]

# In inches, so that text keeps its place whatever the figure's size.
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.8, 0.15, 0.75, 1.08
_TITLE, _SUBTITLE, _LEGEND, _NOTE, _LINE = 0.29, 0.555, 0.36, 0.144, 0.179
# What an inch holds of a note's characters.
_CHARACTERS = 15


class Frame(NamedTuple):
    """A figure with its panels; ``left`` and ``legend_bottom`` are in shares of the figure."""

    figure: Figure
    axes: Sequence[Axes]
    left: float
    legend_bottom: float


def framed(
    title: str,
    subtitle: str,
    count: int,
    *,
    panel_inches: float = 4.2,
    height_inches: float = 4.8,
    left_inches: float = _LEFT,
    caption: Sequence[str] = (),
    notes: str = "",
    shared: bool = True,
    gap: float = 0.06,
) -> Frame:
    """A white figure of ``count`` panels, without touching matplotlib's global state.

    Args:
        title: in bold, above.
        subtitle: beneath it.
        count: of panels, side by side.
        panel_inches: width of one.
        height_inches: of the figure without what more than one line beneath needs.
        left_inches: room for the vertical axis.
        caption: lines beneath the legend, in ink.
        notes: beneath those, wrapped, fainter.
        shared: whether the panels share the vertical axis.
        gap: between two panels, in shares of their width.
    """
    width = left_inches + _RIGHT + panel_inches * max(count, 1)
    lines = [(text, INK, 8.5) for text in caption]
    wrapped = textwrap.wrap(notes, int(_CHARACTERS * (width - left_inches)))
    lines += [(text, FAINT, 8.0) for text in wrapped]
    extra = _LINE * max(len(lines) - 1, 0)
    height = height_inches + extra
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    left = left_inches / width
    axes = figure.subplots(1, count, sharey=shared, squeeze=False)[0]
    figure.subplots_adjust(
        left=left, right=1 - _RIGHT / width, top=1 - _TOP / height,
        bottom=(_BOTTOM + extra) / height, wspace=gap,
    )  # fmt: skip
    figure.text(
        left, 1 - _TITLE / height, title, size=13, weight="bold", color=INK, parse_math=False
    )
    figure.text(left, 1 - _SUBTITLE / height, subtitle, size=9, color=FAINT, parse_math=False)
    for index, (text, color, size) in enumerate(lines):
        at = (_NOTE + extra - _LINE * index) / height
        figure.text(left, at, text, size=size, color=color, parse_math=False)
    return Frame(figure, list(axes), left, (_LEGEND + extra) / height)


def plain_axis(axis: Axes, across: str, up: str = "") -> None:
    """Ticks, grid and labels in the manner of all figures."""
    axis.set_xlabel(across, color=INK, parse_math=False)
    if up:
        axis.set_ylabel(up, color=INK, parse_math=False)
    axis.tick_params(colors=INK, labelsize=8.5, length=3)
    axis.grid(True, color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
