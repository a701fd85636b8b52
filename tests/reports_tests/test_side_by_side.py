"""A photo by several methods, side by side: everything has its place."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.plots.sheet import SCREEN, WIDTHS, Sheet
from reports.plots.side_by_side import Rendering, SideBySide, laid_out
from reports.plots.side_by_side_figure import draw_side_by_side
from reports.plots.style import save_figure


def made_up(
    count: int, wide: int = 96, high: int = 64, figures: str = "28.41 dB, 0.812"
) -> SideBySide:
    photo = np.random.default_rng(0).integers(0, 256, (high, wide, 3)).astype(np.uint8)
    cut = photo[8:24, 4:28]
    each = tuple(Rendering(f"network {i}", cut, figures, i == 1) for i in range(count))
    return SideBySide("A title", photo, "photo", (4, 8, 24, 16), each)


@pytest.mark.parametrize("sheet", [SCREEN, *(Sheet.named(width) for width in WIDTHS)])
@pytest.mark.parametrize("count", [2, 3, 4, 7, 12])
@pytest.mark.parametrize(("wide", "high"), [(96, 64), (64, 128), (300, 40)])
def test_everything_lies_on_the_sheet_and_apart(
    sheet: Sheet, count: int, wide: int, high: int
) -> None:
    layout = laid_out(made_up(count, wide, high), sheet)
    assert layout.width == (sheet.width_inches or 7.16)
    places = [layout.photo, *layout.cells]
    assert len(places) == count + 1
    for left, top, width, height in places:
        assert min(left, top, width, height) > 0
        assert left + width <= layout.width + 1e-9
        assert top + height < layout.height
    for (x0, y0, w0, h0), (x1, y1, w1, h1) in itertools.combinations(places, 2):
        assert x0 + w0 < x1 or x1 + w1 < x0 or y0 + h0 < y1 or y1 + h1 < y0
    assert layout.photo[2] / layout.photo[3] == pytest.approx(wide / high)
    for *_, w, h in layout.cells:
        assert w / h == pytest.approx(24 / 16)


def test_pixels_stay_pixels(tmp_path: Path) -> None:
    info = made_up(3)
    figure = draw_side_by_side(info, Sheet.named("column"))
    (png,) = save_figure(figure, tmp_path / "a", "a", ("png",), dpi=figure.dpi)
    drawn = np.asarray(Image.open(png).convert("RGB"))
    left, top, width, _ = (
        round(inches * figure.dpi) for inches in laid_out(info, Sheet.named("column")).cells[0]
    )
    dots = width / 24
    assert dots == int(dots) > 1
    middles = [int(dots * (i + 0.5)) for i in range(16)]
    shown = drawn[np.ix_([top + y for y in middles], [left + x for x in middles])]
    assert np.abs(shown.astype(int) - info.photo[8:24, 4:20]).max() <= 2


def test_names_are_cut_where_they_have_no_room() -> None:
    info = made_up(4)
    longer = info.renderings[0]._replace(name="a name of no end " * 9)
    figure = draw_side_by_side(info._replace(renderings=(longer, *info.renderings[1:])))
    figure.draw_without_rendering()
    texts = [text for axis in figure.axes for text in axis.texts]
    assert any(text.get_text().endswith("…") for text in texts)
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y0 >= 0
    assert not figure.texts or all(text.get_text() == "A title" for text in figure.texts)
