"""Drawing of the Pareto figure. Imported only when one is drawn: it loads matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWN, MarkerStyle
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from reports.plots.frame import framed, plain_axis
from reports.plots.names import Name, write_names
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
    styles_of,
)
from reports.words import spaced

__all__ = ["draw_panel", "draw_pareto", "save_pareto", "spread", "write_labels"]

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
    own_front = [p for p in panel.front if not p.published]
    styles = styles_of(info.kinds)
    others, own = (30, 42) if styles else (24, 34)
    _scatter(axis, panel.others, bottom, "o", others, TRIAL, zorder=2.4, styles=styles)
    _scatter(axis, own_front, bottom, "o", own, FRONT, zorder=3, styles=styles)
    # These have names; their colour says what they are.
    black = {kind: (shape, PUBLISHED) for kind, (shape, _) in styles.items()}
    _scatter(axis, panel.published, bottom, "D", 38, PUBLISHED, zorder=3.2, styles=black)
    if panel.best is not None:
        _scatter(axis, [panel.best], bottom, "*", 190, BEST, zorder=4)
    for path in panel.compressed:
        axis.plot(
            [p.cost for p in path], [max(p.psnr_y_db, bottom) for p in path],
            color=COMPRESSED, linewidth=1, zorder=3.4,
        )  # fmt: skip
        _scatter(axis, path[1:], bottom, "s", 34, COMPRESSED, zorder=3.5)
    if panel.objective.by_ratio:
        spread(axis, panel)


def _scatter(
    axis: Axes, points: Sequence[Point], bottom: float, marker: str, size: float, color: str,
    *, zorder: float, styles: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> None:  # fmt: skip
    """Points in shape and colour of their kind of blocks, or else all alike."""
    groups: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        if point.psnr_y_db >= bottom:
            groups.setdefault(styles.get(point.kind, (marker, color)), []).append(point)
    for (shape, own_color), inside in groups.items():
        axis.scatter(
            [p.cost for p in inside], [p.psnr_y_db for p in inside], s=size, marker=shape,
            color=own_color, edgecolors="white", linewidths=0.7, zorder=zorder,
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
    kinds = styles_of(info.kinds)
    return [
        ("best trial", True, {"color": BEST, "marker": "*", "markersize": 13, **DOT}),
        (
            "front",
            True,
            {"color": FRONT, "marker": "" if kinds else "o", "markersize": 6, "linewidth": 1.5},
        ),
        (
            "other trial",
            others and not kinds,
            {"color": TRIAL, "marker": "o", "markersize": 5.5, **DOT},
        ),
        (
            "published system",
            published,
            {"color": PUBLISHED, "marker": "o" if kinds else "D", "markersize": 6, **DOT},
        ),
        *(
            (f"{spaced(kind)} blocks", True, {"color": color, "marker": shape, **DOT})
            for kind, (shape, color) in kinds.items()
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
        (info.baseline, info.bicubic_drawn, {"color": FAINT, "linestyle": DASHES, "linewidth": 1}),
    ]


def _stairs(panel: Panel, bottom: float, right: float) -> tuple[list[float], list[float]]:
    """The front's edge from the axis up, and along to the budget: what each cost can buy."""
    x, y = [panel.front[0].cost], [bottom]
    for point in panel.front:
        x += [point.cost, point.cost]
        y += [y[-1], point.psnr_y_db]
    end = panel.wall if panel.wall is not None and panel.wall_drawn else right
    return [*x, max(end, x[-1])], [*y, y[-1]]


def spread(axis: Axes, panel: Panel) -> None:
    """Costs by their ratio, as of networks of thousands of parameters beside those of millions."""
    costs = [point.cost for points in (panel.points, *panel.compressed) for point in points]
    if panel.wall is not None and panel.wall_drawn:
        costs.append(panel.wall)
    # The shade beyond the budget ends where the linear axis did.
    right = axis.get_xlim()[1]
    axis.set_xscale("log")
    axis.set_xlim(min(costs) / 1.3, right)
    axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.6g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_minor_formatter(NullFormatter())


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
    named = sorted((p for p in panel.points if p.label), key=lambda p: (p.published, p.number))
    names = [
        Name(
            point.label, point.cost, max(point.psnr_y_db, bottom),
            BEST if point is panel.best else INK, point is panel.best,
        )
        for point in named
    ]  # fmt: skip
    points = [(p.cost, max(p.psnr_y_db, bottom)) for p in panel.points]
    lines = [np.column_stack(_stairs(panel, bottom, axis.get_xlim()[1]))]
    if panel.wall is not None and panel.wall_drawn:
        lines.append(np.array([(panel.wall, bottom), (panel.wall, top)]))
    for path in panel.compressed:
        lines.append(np.array([(p.cost, max(p.psnr_y_db, bottom)) for p in path]))
    write_names(axis, names, points, lines, _name_wall(axis, panel))


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
