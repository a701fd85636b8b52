"""What all figures share: colours, the legend's form, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import matplotlib as mpl
import numpy as np
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
    "KINDS",
    "PUBLISHED",
    "SERIES",
    "TRIAL",
    "WALL",
    "Entries",
    "draw_legend",
    "legend_columns",
    "save_figure",
    "styles_of",
]

# Okabe and Ito's palette, told apart by all common kinds of colour vision and in grey print.
FRONT, BEST, PUBLISHED, WALL, TRIAL = "#0072B2", "#D55E00", "#000000", "#8C2D04", "#9A9A9A"
COMPRESSED = "#CC79A7"
SERIES = (FRONT, BEST, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Colours of several runs or targets, in this order."""
INK, FAINT, GRID = "#222222", "#666666", "#E6E6E6"
DASHES = (0, (4, 3))
KINDS = (
    ("o", "#009E73"), ("^", "#E69F00"), ("v", "#56B4E9"), ("P", "#332288"), ("X", "#999933"),
    ("p", "#661100"),
)  # fmt: skip
"""Shapes and colours of networks by kind, in order; squares and diamonds mean something else."""
DOT: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.6}

_PNG_DPI = 200.0
# Without the time, and the version of who drew it.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None},
}


Entries: TypeAlias = Sequence[tuple[str, bool, dict[str, Any]]]
"""Of a legend: label, whether it is drawn, line style."""

# Inches that a legend's letter takes, and its line with the gaps beside it.
_LETTER, _HANDLE = 0.067, 0.46

# Fonts that may be embedded and searched: TrueType whole, and text in SVG as text.
_TEXT: dict[Any, Any] = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}


def styles_of(kinds: Sequence[str]) -> dict[str, tuple[str, str]]:
    """A shape and a colour for each kind; those beyond the last share them."""
    return {kind: KINDS[min(k, len(KINDS) - 1)] for k, kind in enumerate(kinds)}


def legend_columns(entries: Entries, inches: float) -> int:
    """How many columns of a legend have room."""
    labels = [label for label, drawn, _ in entries if drawn]
    for columns in range(len(labels), 1, -1):
        # A legend is filled column by column, each as wide as its longest label.
        widest = [max(map(len, held)) for held in np.array_split(labels, columns)]
        if sum(_HANDLE + _LETTER * letters for letters in widest) <= inches:
            return columns
    return 1


def draw_legend(figure: Figure, entries: Entries, left: float, bottom: float, columns: int) -> None:
    """One legend for all panels, at ``left`` and ``bottom`` in shares of the figure."""
    lines = [Line2D([], [], label=label, **style) for label, drawn, style in entries if drawn]
    if lines:
        figure.legend(
            handles=lines, loc="lower left", bbox_to_anchor=(left, bottom), ncols=columns,
            frameon=False, fontsize=8.5, handletextpad=0.5, columnspacing=1.6, handlelength=1.6,
            borderaxespad=0, borderpad=0,
        )  # fmt: skip


def save_figure(
    figure: Figure,
    stem: Path | str,
    salt: str,
    formats: Sequence[str] = ("png", "svg"),
    *,
    dpi: float = _PNG_DPI,
) -> tuple[Path, ...]:
    """Writes ``stem.png`` (200 dpi), ``stem.svg`` and the like, each whole or not at all.

    The files are the same, byte for byte, whenever the figure is; ``salt`` names the SVG's
    clip paths, which are random without one. Text stays text: fonts of PDFs are embedded as
    TrueType (Type 42), as journals ask for.

    Args:
        figure: what to write.
        stem: the files' name without its ending.
        salt: see above.
        formats: some of ``reports.plots.sheet.FORMATS``.
        dpi: dots an inch of what is dots; of what is not, pictures inside alone have any.

    Returns:
        The files, in the order of ``formats``.

    Raises:
        InputError: the folder cannot be written.
    """
    # with_suffix would take the end of a name such as "0.6M" for its suffix.
    paths = tuple(Path(f"{stem}.{one}") for one in formats)
    with mpl.rc_context({"svg.hashsalt": salt, **_TEXT}):
        for one, path in zip(formats, paths, strict=True):
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format=one, dpi=dpi, metadata=_METADATA[one])
    return paths
