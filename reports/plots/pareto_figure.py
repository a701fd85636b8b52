"""Drawing of the Pareto figure. Imported only when one is drawn: it loads matplotlib."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWN, MarkerStyle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from reports.plots.frame import framed, plain_axis
from reports.plots.labels import Box, place_labels
from reports.plots.pareto import Panel, ParetoInfo, Point
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import (
    BEST,
    COMPRESSED,
    DASHES,
    DOT,
    FAINT,
    FRONT,
    INK,
    PUBLISHED,
    TRIAL,
    WALL,
    Entries,
    save_figure,
)

__all__ = ["draw_panel", "draw_pareto", "save_pareto", "write_labels"]

_PANEL_INCHES, _LONE_INCHES = 4.2, 6.7


def draw_pareto(info: ParetoInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes, without touching matplotlib's global state."""
    frame = framed(
        info.title, info.subtitle, len(info.panels), sheet=sheet, entries=_legend(info),
        # A single panel needs the room that the title takes.
        panel_inches=_PANEL_INCHES if len(info.panels) > 1 else _LONE_INCHES,
        notes=";  ".join(info.notes),
    )  # fmt: skip
    figure, axes = frame.figure, frame.axes
    for axis, panel in zip(axes, info.panels, strict=True):
        draw_panel(axis, panel, info)
    frame.label_up("PSNR-Y [dB]")
    # Text has its place and size only once the figure has been laid out.
    figure.draw_without_rendering()
    for axis, panel in zip(axes, info.panels, strict=True):
        write_labels(axis, panel, info)
    return figure


def save_pareto(info: ParetoInfo, stem: Path | str) -> tuple[Path, ...]:
    """Draw the figure to ``stem.png`` (200 dpi) and ``stem.svg``, each written whole or not at all.

    The files are the same, byte for byte, whenever the info is.

    Raises:
        InputError: the folder cannot be written.
    """
    return save_figure(draw_pareto(info), stem, "pareto")


def draw_panel(axis: Axes, panel: Panel, info: ParetoInfo) -> None:
    """Points, front, budget and bicubic line of one panel, without the labels."""
    bottom, top = info.psnr_range_db
    left, right = _cost_range(panel)
    axis.set(xlim=(left, right), ylim=(bottom, top))
    plain_axis(axis, panel.axis_label)
    axis.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axis.ticklabel_format(useOffset=False)
    if panel.wall is not None and panel.wall_drawn:
        axis.axvspan(panel.wall, right, facecolor=WALL, alpha=0.10, linewidth=0)
        axis.axvline(panel.wall, color=WALL, linewidth=1.4)
    if info.bicubic_drawn and info.bicubic_psnr_y_db is not None:
        axis.axhline(info.bicubic_psnr_y_db, color=FAINT, linewidth=1, linestyle=DASHES)
    if info.noise_db is not None:
        low, high = info.noise_db
        axis.axhspan(max(low, bottom), high, facecolor=BEST, alpha=0.12, linewidth=0, zorder=0.5)
    x, y = _stairs(panel, bottom, right)
    axis.fill_between(x, y, bottom, color=FRONT, alpha=0.06, linewidth=0)
    axis.plot(x[1:], y[1:], color=FRONT, linewidth=1.5, zorder=2.5)
    _scatter(axis, panel.others, bottom, "o", 24, TRIAL, zorder=2.4)
    _scatter(axis, [p for p in panel.front if not p.published], bottom, "o", 34, FRONT, zorder=3)
    _scatter(axis, panel.published, bottom, "D", 36, PUBLISHED, zorder=3.2)
    if panel.best is not None:
        _scatter(axis, [panel.best], bottom, "*", 190, BEST, zorder=4)
    for path in panel.compressed:
        axis.plot(
            [p.cost for p in path], [max(p.psnr_y_db, bottom) for p in path],
            color=COMPRESSED, linewidth=1, zorder=3.4,
        )  # fmt: skip
        _scatter(axis, path[1:], bottom, "s", 34, COMPRESSED, zorder=3.5)


def _scatter(
    axis: Axes, points: Sequence[Point], bottom: float, marker: str, size: float, color: str,
    *, zorder: float,
) -> None:  # fmt: skip
    inside = [p for p in points if p.psnr_y_db >= bottom]
    axis.scatter(
        [p.cost for p in inside], [p.psnr_y_db for p in inside], s=size, marker=marker,
        color=color, edgecolors="white", linewidths=0.7, zorder=zorder,
    )  # fmt: skip
    below = [p.cost for p in points if p.psnr_y_db < bottom]
    # Trials below the axis stand on it as arrows down: there, but not worth the room.
    arrows = MarkerStyle(CARETDOWN)
    axis.scatter(
        below, [bottom] * len(below), s=size, marker=arrows, color=color, clip_on=False,
        zorder=zorder,
    )  # fmt: skip


def _legend(info: ParetoInfo) -> Entries:
    """One legend for all panels, of what is really drawn."""
    tops = {panel.best.number for panel in info.panels if panel.best is not None}
    published = any(p.number not in tops for panel in info.panels for p in panel.published)
    others = any(panel.others for panel in info.panels)
    walls = any(panel.wall_drawn for panel in info.panels)
    return [
        ("best trial", True, {"color": BEST, "marker": "*", "markersize": 13, **DOT}),
        ("front", True, {"color": FRONT, "marker": "o", "markersize": 6, "linewidth": 1.5}),
        ("other trial", others, {"color": TRIAL, "marker": "o", "markersize": 5.5, **DOT}),
        (
            "published system",
            published,
            {"color": PUBLISHED, "marker": "D", "markersize": 6, **DOT},
        ),
        (
            "compressed",
            any(panel.compressed for panel in info.panels),
            {"color": COMPRESSED, "marker": "s", "markersize": 5.5, "linewidth": 1},
        ),
        (
            "seed noise of the highest",
            info.noise_db is not None,
            {"color": BEST, "alpha": 0.25, "linewidth": 6},
        ),
        ("budget", walls, {"color": WALL, "linewidth": 1.4}),
        ("bicubic", info.bicubic_drawn, {"color": FAINT, "linestyle": DASHES, "linewidth": 1}),
    ]


def _stairs(panel: Panel, bottom: float, right: float) -> tuple[list[float], list[float]]:
    """The front's edge from the axis up, and along to the budget: what each cost can buy."""
    x, y = [panel.front[0].cost], [bottom]
    for point in panel.front:
        x += [point.cost, point.cost]
        y += [y[-1], point.psnr_y_db]
    end = panel.wall if panel.wall is not None and panel.wall_drawn else right
    return [*x, max(end, x[-1])], [*y, y[-1]]


def _cost_range(panel: Panel) -> tuple[float, float]:
    costs = [point.cost for points in (panel.points, *panel.compressed) for point in points]
    if panel.wall is not None and panel.wall_drawn:
        costs.append(panel.wall)
    low, high = min(costs), max(costs)
    margin = 0.12 * (high - low) or 0.3 * high or 1.0
    return max(low - margin, 0.0), high + margin


def write_labels(axis: Axes, panel: Panel, info: ParetoInfo) -> None:
    """Name the wall, the best trial and the published systems; needs a laid-out figure."""
    bottom, top = info.psnr_range_db
    taken = [_box(text) for text in _name_wall(axis, panel)]
    named = sorted((p for p in panel.points if p.label), key=lambda p: (p.published, p.number))
    texts = [
        axis.text(
            0, 0, point.label, size=8.5, ha="left", va="bottom", parse_math=False, zorder=6,
            color=BEST if point is panel.best else INK,
            weight="bold" if point is panel.best else "normal",
            # A stroke around it would make it outlines in PDF and SVG.
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.4},
        )
        for point in named
    ]  # fmt: skip
    boxes = [_box(text) for text in texts]
    sizes = [(box.right - box.left, box.top - box.bottom) for box in boxes]
    to_pixels, to_data = axis.transData, axis.transData.inverted()
    anchors = to_pixels.transform([(p.cost, max(p.psnr_y_db, bottom)) for p in named])
    markers = to_pixels.transform([(p.cost, max(p.psnr_y_db, bottom)) for p in panel.points])
    lines = [np.column_stack(_stairs(panel, bottom, axis.get_xlim()[1]))]
    if panel.wall is not None and panel.wall_drawn:
        lines.append(np.array([(panel.wall, bottom), (panel.wall, top)]))
    for path in panel.compressed:
        lines.append(np.array([(p.cost, max(p.psnr_y_db, bottom)) for p in path]))
    covered = [markers, *(_samples(to_pixels.transform(line)) for line in lines)]
    pairs = [(float(x), float(y)) for x, y in anchors]
    places = place_labels(pairs, sizes, np.vstack(covered), Box(*axis.bbox.extents), taken)
    for text, place, anchor in zip(texts, places, anchors, strict=True):
        x, y = to_data.transform((place.left, place.bottom))
        text.set_position((float(x), float(y)))
        nearest = np.clip(anchor, (place.left, place.bottom), (place.right, place.top))
        # A name that had to move away is tied to its point by a thin line.
        if np.hypot(*(nearest - anchor)) > 1.3 * (place.top - place.bottom):
            ends = to_data.transform([anchor, nearest])
            axis.plot(*ends.T, color=text.get_color(), linewidth=0.6, zorder=2.9)


def _name_wall(axis: Axes, panel: Panel) -> list[Text]:
    if panel.wall is None:
        return []
    if panel.wall_drawn:
        return [
            axis.annotate(
                panel.wall_label, (panel.wall, 0.02), xycoords=("data", "axes fraction"),
                xytext=(4, 0), textcoords="offset points", rotation=90, size=8.5, color=WALL,
                ha="left", va="bottom", parse_math=False,
            )
        ]  # fmt: skip
    return [
        axis.text(
            0.98, 0.02, f"{panel.wall_label} \N{RIGHTWARDS ARROW}", size=8.5, color=WALL,
            ha="right", va="bottom", transform=axis.transAxes, parse_math=False,
        )
    ]  # fmt: skip


def _box(text: Text) -> Box:
    return Box(*text.get_window_extent().extents)


def _samples(line: npt.NDArray[np.float64], apart: float = 8.0) -> npt.NDArray[np.float64]:
    """Points along a polyline about ``apart`` pixels from each other."""
    pieces = [line[:1]]
    for start, end in itertools.pairwise(line):
        count = max(int(np.hypot(*(end - start)) / apart), 1)
        pieces.append(np.linspace(start, end, count + 1)[1:])
    return np.vstack(pieces)
