"""What all figures share: colours, the legend's form, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from search_spaces.files import atomic_path

__all__ = [
    "BEST",
    "COMPRESSED",
    "DASHES",
    "DOT",
    "FAINT",
    "FRONT",
    "GRID",
    "INK",
    "PUBLISHED",
    "SERIES",
    "TRIAL",
    "WALL",
    "draw_legend",
    "save_figure",
]

# Okabe and Ito's palette, told apart by all common kinds of colour vision and in grey print.
FRONT, BEST, PUBLISHED, WALL, TRIAL = "#0072B2", "#D55E00", "#000000", "#8C2D04", "#9A9A9A"
COMPRESSED = "#CC79A7"
SERIES = (FRONT, BEST, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of several runs or targets, in this order."""
INK, FAINT, GRID = "#222222", "#666666", "#E6E6E6"
DASHES = (0, (4, 3))
DOT: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.6}

_PNG_DPI = 200


def draw_legend(
    figure: Figure, entries: Sequence[tuple[str, bool, dict[str, Any]]], left: float, bottom: float
) -> None:
    """One legend for all panels, from (label, whether it is drawn, line style)."""
    lines = [Line2D([], [], label=label, **style) for label, drawn, style in entries if drawn]
    figure.legend(
        handles=lines, loc="lower left", bbox_to_anchor=(left, bottom), ncols=len(lines),
        frameon=False, fontsize=8.5, handletextpad=0.5, columnspacing=1.6, handlelength=1.6,
        borderaxespad=0, borderpad=0,
    )  # fmt: skip


def save_figure(
    figure: Figure, stem: Path | str, salt: str, *, pdf: bool = False
) -> tuple[Path, ...]:
    """Writes ``stem.png`` (200 dpi), ``stem.svg`` and, if asked, ``stem.pdf``, each whole or not.

    The files are the same, byte for byte, whenever the figure is; ``salt`` names the SVG's
    clip paths, which are random without one.

    Raises:
        InputError: the folder cannot be written.
    """
    # with_suffix would take the end of a name such as "0.6M" for its suffix.
    png, svg, page = (Path(f"{stem}{suffix}") for suffix in (".png", ".svg", ".pdf"))
    with atomic_path(png) as temporary:
        figure.savefig(temporary, dpi=_PNG_DPI, metadata={"Software": None})
    with mpl.rc_context({"svg.hashsalt": salt}), atomic_path(svg) as temporary:
        figure.savefig(temporary, metadata={"Date": None, "Creator": None})
    if not pdf:
        return png, svg
    with atomic_path(page) as temporary:
        figure.savefig(temporary, metadata={"CreationDate": None, "Creator": None})
    return png, svg, page
