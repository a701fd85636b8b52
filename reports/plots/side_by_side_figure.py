"""Drawing of a photo by several methods. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from reports.plots.sheet import SCREEN, Sheet
from reports.plots.side_by_side import Pixels, SideBySide, laid_out
from reports.plots.style import BEST, INK

__all__ = ["draw_side_by_side"]

# About so many dots an inch, and such that a pixel of the pieces has a whole number of them.
_DPI = 300.0
_SIZE = 8.0


def draw_side_by_side(info: SideBySide, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes, to be saved with its own dots an inch."""
    layout = laid_out(info, sheet)
    inches = layout.cells[0][2]
    dots = max(1, round(_DPI * inches / info.piece[2]))
    dpi = dots * info.piece[2] / inches
    figure = Figure(figsize=(layout.width, layout.height), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    figure.set_label(info.title)
    if sheet.titled:
        figure.text(
            layout.photo[0] / layout.width, 1 - 0.15 / layout.height, info.title, size=10,
            weight="bold", color=INK, parse_math=False,
        )  # fmt: skip

    def picture(place: tuple[float, float, float, float], pixels: Pixels, smooth: bool) -> Axes:
        # On whole dots, or pixels of one picture would differ in size.
        left, top, width, height = (round(inches * dpi) / dpi for inches in place)
        axis = figure.add_axes(
            (left / layout.width, 1 - (top + height) / layout.height,
             width / layout.width, height / layout.height)
        )  # fmt: skip
        axis.imshow(pixels, interpolation="antialiased" if smooth else "none", aspect="auto")
        axis.set_axis_off()
        return axis

    axis = picture(layout.photo, info.photo, True)
    left, top, width, height = info.piece
    axis.add_patch(
        Rectangle((left - 0.5, top - 0.5), width, height, fill=False, color=BEST, linewidth=1.2)
    )
    _beneath(axis, info.photo_name)
    for place, one in zip(layout.cells, info.renderings, strict=True):
        _beneath(picture(place, one.pixels, False), one.name, one.figures, bold=one.best)
    return figure


def _beneath(axis: Axes, name: str, figures: str = "", *, bold: bool = False) -> None:
    """A line or two of text, the name cut where it has no room."""
    text = axis.annotate(
        name, (0.5, 0), xycoords="axes fraction", xytext=(0, -1.5), textcoords="offset points",
        ha="center", va="top", size=_SIZE, color=INK, parse_math=False, annotation_clip=False,
    )  # fmt: skip
    while text.get_window_extent().width > axis.bbox.width and len(name) > 2:
        name = name[:-1]
        text.set_text(f"{name}…")
    if figures:
        axis.annotate(
            figures, (0.5, 0), xycoords="axes fraction", xytext=(0, -1.5 - 1.3 * _SIZE),
            textcoords="offset points", ha="center", va="top", size=_SIZE - 0.5, color=INK,
            weight="bold" if bold else "normal", parse_math=False, annotation_clip=False,
        )  # fmt: skip
