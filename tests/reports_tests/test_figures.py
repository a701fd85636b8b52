"""The figures as files for print."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from reports.figures import write_figures
from reports.plots.published import published_info
from reports.plots.sheet import SCREEN, WIDTHS, Sheet, formats_of
from reports.plots.style import save_figure
from reports.plots.table import PLOTS, known, plots_of_run
from reports.published import published_results
from search_spaces.errors import InputError, NothingToDraw, StoreError, WriteError
from tests.reports_tests.accounts import RECORDS, SUMMARY, account

NAMES = [name for name, *_ in plots_of_run(account())]


def test_every_figure_in_three_formats_the_same_each_time(tmp_path: Path) -> None:
    first = write_figures([account()], tmp_path / "a")
    assert [path.stem for path in first] == NAMES
    write_figures([account()], tmp_path / "b", formats=("svg",))
    # What a format adds to a figure, it adds to all of them.
    name, plot, info = next(one for one in plots_of_run(account()) if one[0] == "latency")
    save_figure(plot.draw(info, Sheet.named("page")), tmp_path / "b" / name, name, ("png", "pdf"))
    written = [*(f"{name}.svg" for name in NAMES), "latency.png", "latency.pdf", "captions.txt"]
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == sorted(written)
    for file in (tmp_path / "b").iterdir():
        assert file.read_bytes() == (tmp_path / "a" / file.name).read_bytes(), file.name
    for name in NAMES:
        pixels = np.asarray(Image.open(tmp_path / "a" / f"{name}.png").convert("L"))
        assert (pixels < 200).mean() > 0.005, f"{name} is empty"
        ElementTree.parse(tmp_path / "a" / f"{name}.svg")
        assert (tmp_path / "a" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def shown(figure: Figure) -> list[Text]:
    """The texts that a reader sees but for the ticks; in pixels, once the figure is laid out."""
    figure.draw_without_rendering()
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axis in figure.axes:
        found += [*axis.texts, axis.title, axis.xaxis.label, axis.yaxis.label]
    return [text for text in found if text.get_text()]


def drawn(sheet: Sheet) -> Iterator[tuple[str, Figure]]:
    title = "Search within 600 K parameters, 30 G multi-adds, 120 M activations and 25 ms latency"
    summary = replace(SUMMARY, noise_db=0.3, title=title)
    of_set = published_info(RECORDS, published_results("Set5", 4), summary, chosen=3)
    run = account(published={"Set5": of_set}, summary=summary)
    for name, plot, info in plots_of_run(run):
        yield name, plot.draw(info, sheet)


@pytest.mark.parametrize("sheet", [SCREEN, *(Sheet.named(w) for w in WIDTHS)])
def test_all_that_is_written_in_a_figure_is_whole_and_apart(sheet: Sheet) -> None:
    for name, figure in drawn(sheet):
        if sheet.width_inches is not None:
            assert figure.get_figwidth() == sheet.width_inches
            # With a caption it is to fit a page.
            assert figure.get_figheight() <= 8.5, name
        room = figure.bbox
        names: list[Bbox] = []
        for text in shown(figure):
            box = text.get_window_extent()
            place = f"{name}: {text.get_text()!r}"
            assert box.x0 >= room.x0 - 1, place
            assert box.x1 <= room.x1 + 1, place
            assert box.y0 >= room.y0 - 1, place
            assert box.y1 <= room.y1 + 1, place
            if text.axes is not None and text in text.axes.texts and name.startswith("p"):
                assert not any(box.overlaps(other) for other in names), place
                names.append(box)


def test_a_paper_has_no_title_inside_unless_asked(tmp_path: Path) -> None:
    title = account().summary.title
    for titled in (False, True):
        sheet = Sheet.named("page", titled=titled)
        small = account(records=RECORDS[:1], importance=(), compressed=(), audit=None)
        write_figures([small], tmp_path / str(titled), sheet, ("svg",))
        # Text stays text.
        words = (tmp_path / str(titled) / "pareto.svg").read_text("utf-8")
        assert (title in " ".join(words.split())) == titled
        assert "best: trial 0, 29.00 dB" in words
        captions = (tmp_path / str(titled) / "captions.txt").read_text("utf-8")
        assert f"pareto: {title}. distillation space" in captions
        assert not (tmp_path / str(titled) / "pareto.png").exists()


def test_fonts_are_embedded_as_journals_ask_for(tmp_path: Path) -> None:
    pareto = next(plot for plot in PLOTS if plot.name == "pareto")
    assert pareto.of_run is not None
    save_figure(pareto.draw(pareto.of_run(account())), tmp_path / "a", "a", ("pdf",))
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/TrueType" in content or b"/CIDFontType2" in content
    assert b"/Type3" not in content


def test_widths_and_formats_are_checked() -> None:
    assert formats_of("PDF, png") == ("png", "pdf")
    with pytest.raises(InputError, match="--figures: expected some of png,svg,pdf, got 'eps'"):
        formats_of("eps")
    with pytest.raises(InputError, match="--width: expected column or page, got 'wide'"):
        Sheet.named("wide")


def test_several_runs_are_compared_and_kept_apart(tmp_path: Path) -> None:
    bare = account("bare", records=RECORDS[:1], importance=(), compressed=(), audit=None)
    written = write_figures([account("whole"), bare], tmp_path, formats=("svg",))
    names = [str(path.relative_to(tmp_path)) for path in written]
    assert names[:2] == ["comparison.svg", "hypervolume.svg"]
    assert "whole/rungs.svg" in names
    assert "bare/rungs.svg" in names
    assert "bare/savings.svg" not in names


def test_only_nothing_to_draw_is_passed_over() -> None:
    def failing(error: InputError) -> Callable[[], str]:
        def info() -> str:
            raise error

        return info

    assert known(lambda: "drawn") == "drawn"
    assert known(failing(NothingToDraw("nothing was stopped early"))) is None
    for error in (InputError("cannot draw PSNR against 'x'"), StoreError("away"), WriteError("x")):
        with pytest.raises(type(error)):
            known(failing(error))


def test_a_run_without_any_figure_is_no_error(tmp_path: Path) -> None:
    bare = account(records=(), importance=(), compressed=(), audit=None)
    assert write_figures([replace(bare, published={})], tmp_path) == ()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot write"):
        write_figures([account()], tmp_path / "file" / "figures")
