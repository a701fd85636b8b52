"""The frame of every printed figure: title, panels, legend and notes beneath."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import FAINT, GRID, INK, Entries, draw_legend, legend_columns

__all__ = ["Frame", "framed", "panel_inches", "plain_axis"]

# In inches, so that text keeps its place whatever the figure's size.
_LEFT, _LEFT_ON_PAPER, _RIGHT, _TOP, _BARE_TOP, _BELOW = 0.8, 0.65, 0.15, 0.75, 0.14, 0.53
_TITLE, _SUBTITLE, _NOTE, _LINE, _TITLE_LINE = 0.29, 0.555, 0.144, 0.179, 0.22
_LEGEND_LINE, _LOOSE, _BETWEEN_ROWS, _NARROW = 0.19, 0.037, 0.62, 2.5
_GAP_ON_PAPER = 0.12  # in shares of a panel
# What an inch holds of the characters of notes, titles and axis labels.
_CHARACTERS, _OF_TITLE, _OF_SUBTITLE, _OF_AXIS = 15.2, 8.6, 14.5, 12.5
# Panels are made narrower to stand side by side, down to this share of what they like to have;
# they lose less of their height.
_NARROWEST, _LOWEST = 0.46, 0.72
# A paper's column is 9 inches high and holds a caption as well; no panel is lower than this.
_TALLEST, _FLATTEST = 8.0, 1.3


class Frame(NamedTuple):
    """A figure with its panels, in rows of ``columns``."""

    figure: Figure
    axes: Sequence[Axes]
    columns: int

    def label_up(self, text: str) -> None:
        """Names the vertical axis that the panels share, once a row."""
        for axis in self.axes[:: self.columns]:
            axis.set_ylabel(text, color=INK, parse_math=False)


def framed(
    title: str,
    subtitle: str,
    count: int,
    *,
    sheet: Sheet = SCREEN,
    entries: Entries = (),
    panel_inches: float = 4.2,
    height_inches: float = 2.97,
    left_inches: float = _LEFT,
    caption: str = "",
    notes: str = "",
    shared: bool = True,
    gap: float = 0.06,
) -> Frame:
    """A white figure of ``count`` panels, without touching matplotlib's global state.

    Its label holds what a caption has to say of it, also where none of that stands in it.

    Args:
        title: in bold, above.
        subtitle: beneath it.
        count: of panels.
        sheet: how wide it is and whether it has title, caption and notes; panels that have no
            room side by side stand in rows.
        entries: of the legend, as ``draw_legend`` takes them.
        panel_inches: width of a panel that has all the room it likes.
        height_inches: of such a panel.
        left_inches: room for the vertical axis.
        caption: beneath the legend, wrapped, in ink.
        notes: beneath it, wrapped, fainter.
        shared: whether the panels share the vertical axis.
        gap: between two panels, in shares of their width.
    """
    count = max(count, 1)
    if sheet.width_inches is not None:
        left_inches = _LEFT_ON_PAPER if left_inches == _LEFT else left_inches
        gap = max(gap, _GAP_ON_PAPER)
    columns, width = _columns(sheet, count, panel_inches, left_inches, gap)
    rows = -(-count // columns)
    room = width - left_inches - _RIGHT
    panel = room / (columns + gap * (columns - 1))
    high = height_inches * min(1.0, max(panel / panel_inches, _LOWEST))
    heads, subheads = _wrapped(title, room, _OF_TITLE), _wrapped(subtitle, room, _OF_SUBTITLE)
    lines = [(text, INK, 8.5) for text in _wrapped(caption, room, _CHARACTERS)]
    lines += [(text, FAINT, 8.0) for text in _wrapped(notes, room, _CHARACTERS)]
    over = _TITLE_LINE * max(len(heads) - 1, 0)
    top = _TOP + over + _LINE * max(len(subheads) - 1, 0)
    if not sheet.titled:
        heads, subheads, lines, top = [], [], [], _BARE_TOP
    legend_inches = left_inches if sheet.width_inches is None else _RIGHT
    columns_of_legend = legend_columns(entries, width - legend_inches - _RIGHT)
    legend_rows = -(-sum(drawn for _, drawn, _ in entries) // columns_of_legend)
    under = _NOTE + _LINE * len(lines) + _LOOSE * bool(lines)
    # An axis' name takes two lines there.
    second = _LINE if panel < _NARROW else 0.0
    bottom = under + _BELOW + _LEGEND_LINE * legend_rows + second
    between = (_BETWEEN_ROWS + second) * (rows - 1)
    if sheet.width_inches is not None:
        high = min(high, max((_TALLEST - top - between - bottom) / rows, _FLATTEST))
    height = top + rows * high + between + bottom
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    told = f"{caption} {notes}".strip()
    figure.set_label(". ".join(part for part in (title, subtitle, told) if part))
    left = left_inches / width
    grid = figure.subplots(rows, columns, sharey=shared, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    figure.subplots_adjust(
        left=left, right=1 - _RIGHT / width, top=1 - top / height, bottom=bottom / height,
        wspace=gap, hspace=(_BETWEEN_ROWS + second) / high,
    )  # fmt: skip
    for index, text in enumerate(heads):
        at = 1 - (_TITLE + _TITLE_LINE * index) / height
        figure.text(left, at, text, size=13, weight="bold", color=INK, parse_math=False)
    for index, text in enumerate(subheads):
        at = 1 - (_SUBTITLE + over + _LINE * index) / height
        figure.text(left, at, text, size=9, color=FAINT, parse_math=False)
    for index, (text, color, size) in enumerate(reversed(lines)):
        at = (_NOTE + _LINE * index) / height
        figure.text(left, at, text, size=size, color=color, parse_math=False)
    draw_legend(figure, entries, legend_inches / width, under / height, columns_of_legend)
    return Frame(figure, list(grid[:count]), columns)


def _columns(
    sheet: Sheet, count: int, panel_inches: float, left_inches: float, gap: float
) -> tuple[int, float]:
    """How many panels stand side by side, and the figure's width in inches."""
    if sheet.width_inches is None:
        return count, left_inches + _RIGHT + panel_inches * count
    room = sheet.width_inches - left_inches - _RIGHT
    fits = [
        n for n in range(1, count + 1) if room / (n + gap * (n - 1)) >= _NARROWEST * panel_inches
    ]
    return max(fits, default=1), sheet.width_inches


def _wrapped(text: str, inches: float, characters: float) -> list[str]:
    return textwrap.wrap(text, max(int(characters * inches), 10))


def panel_inches(axis: Axes) -> tuple[float, float]:
    """Width and height of a panel, in inches."""
    figure, place = axis.get_figure(root=True), axis.get_position()
    assert figure is not None
    return place.width * figure.get_figwidth(), place.height * figure.get_figheight()


def plain_axis(axis: Axes, across: str, up: str = "") -> None:
    """Ticks, grid and labels in the manner of all figures."""
    wide, high = panel_inches(axis)
    axis.set_xlabel("\n".join(_wrapped(across, wide, _OF_AXIS)), color=INK, parse_math=False)
    if up:
        lines = _wrapped(up, high, _OF_AXIS)
        axis.set_ylabel("\n".join(lines), color=INK, parse_math=False)
    axis.tick_params(colors=INK, labelsize=8.5, length=3)
    axis.grid(True, color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
