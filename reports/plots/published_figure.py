"""Drawing of the published results' figure. Imported only when one is drawn."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from reports.plots.frame import framed
from reports.plots.pareto import ParetoInfo
from reports.plots.pareto_figure import draw_panel, spread, write_labels
from reports.plots.published import PublishedInfo
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import (
    BEST,
    DASHES,
    DOT,
    FAINT,
    FRONT,
    PUBLISHED,
    TRIAL,
    WALL,
    Entries,
    save_figure,
)

__all__ = ["draw_published", "save_published"]

_PANEL_INCHES, _HEIGHT_INCHES = 7.6, 4.17


def draw_published(info: PublishedInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes, without touching matplotlib's global state."""
    drawn = info.drawn
    frame = framed(
        drawn.title, drawn.subtitle, len(drawn.panels), sheet=sheet, entries=_legend(drawn),
        panel_inches=_PANEL_INCHES, height_inches=_HEIGHT_INCHES, caption=" ".join(info.caption),
        notes=";  ".join(drawn.notes),
    )  # fmt: skip
    figure, axes = frame.figure, frame.axes
    for axis, panel in zip(axes, drawn.panels, strict=True):
        draw_panel(axis, panel, drawn)
        spread(axis, panel)
    frame.label_up("PSNR-Y [dB]")
    # Text has its place and size only once the figure has been laid out.
    figure.draw_without_rendering()
    for axis, panel in zip(axes, drawn.panels, strict=True):
        write_labels(axis, panel, drawn)
    return figure


def save_published(info: PublishedInfo, stem: Path | str) -> tuple[Path, ...]:
    """Draw the figure to ``stem.png`` (200 dpi) and ``stem.svg``, each written whole or not at all.

    The files are the same, byte for byte, whenever the info is.

    Raises:
        InputError: the folder cannot be written.
    """
    return save_figure(draw_published(info), stem, "published")


def _legend(drawn: ParetoInfo) -> Entries:
    """One legend for all panels, of what is really drawn."""
    best = any(panel.best is not None for panel in drawn.panels)
    others = any(panel.others for panel in drawn.panels)
    walls = any(panel.wall_drawn for panel in drawn.panels)
    return [
        (
            "this search's best", best,
            {"color": BEST, "marker": "*", "markersize": 13, **DOT},
        ),
        (
            "its front", True,
            {"color": FRONT, "marker": "o", "markersize": 6, "linewidth": 1.5},
        ),
        ("other of its", others, {"color": TRIAL, "marker": "o", "markersize": 5.5, **DOT}),
        (
            "published (long training)", True,
            {"color": PUBLISHED, "marker": "D", "markersize": 6, **DOT},
        ),
        ("budget", walls, {"color": WALL, "linewidth": 1.4}),
        (
            "bicubic, published", drawn.bicubic_drawn,
            {"color": FAINT, "linestyle": DASHES, "linewidth": 1},
        ),
    ]  # fmt: skip
