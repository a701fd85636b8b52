"""The figures as files for print."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.figures import write_figures
from reports.plots.table import known, plots_of_run
from search_spaces.errors import InputError, NothingToDraw, StoreError, WriteError
from tests.reports_tests.accounts import RECORDS, account

NAMES = [name for name, *_ in plots_of_run(account())]


def test_every_figure_in_three_formats_the_same_each_time(tmp_path: Path) -> None:
    first = write_figures([account()], tmp_path / "a")
    assert [path.stem for path in first] == NAMES
    write_figures([account()], tmp_path / "b")
    for name in NAMES:
        for suffix in (".png", ".svg", ".pdf"):
            file = tmp_path / "a" / f"{name}{suffix}"
            assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
        pixels = np.asarray(Image.open(tmp_path / "a" / f"{name}.png").convert("L"))
        assert (pixels < 200).mean() > 0.005, f"{name} is empty"
        ElementTree.parse(tmp_path / "a" / f"{name}.svg")
        assert (tmp_path / "a" / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_several_runs_are_compared_and_kept_apart(tmp_path: Path) -> None:
    bare = account("bare", records=RECORDS[:1], importance=(), compressed=())
    written = write_figures([account("whole"), bare], tmp_path)
    names = [str(path.relative_to(tmp_path)) for path in written]
    assert names[:2] == ["comparison.png", "hypervolume.png"]
    assert "whole/rungs.png" in names
    assert "bare/rungs.png" in names
    assert "bare/savings.png" not in names


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
    bare = account(records=(), importance=(), compressed=())
    assert write_figures([replace(bare, published={})], tmp_path) == ()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot write"):
        write_figures([account()], tmp_path / "file" / "figures")
