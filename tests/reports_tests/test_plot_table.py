"""What every plot of the table has to do; a new one is found there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from reports.account import RunAccount
from reports.html.page import render_page
from reports.plots.published import published_info
from reports.plots.table import PLOTS, SECTIONS, Plot, plots_of_run, plots_of_runs
from reports.published import published_results
from search_spaces.errors import NothingToDraw
from tests.reports_tests.accounts import RECORDS, SUMMARY, account

EMPTY = RunAccount("nothing", SUMMARY, ())
NAMES = [plot.name for plot in PLOTS]


@pytest.fixture(scope="module")
def whole() -> tuple[RunAccount, RunAccount]:
    """Two runs of which every plot has something to say."""
    set5 = published_info(RECORDS, published_results("Set5", 4), SUMMARY)
    return account("one", published={"Set5": set5}), account("other")


def named(name: str) -> Plot:
    return next(plot for plot in PLOTS if plot.name == name)


def infos(plot: Plot, runs: tuple[RunAccount, RunAccount]) -> list[Any]:
    found: list[Any] = []
    if plot.of_run is not None:
        of_run = plot.of_run(runs[0])
        found += of_run.values() if isinstance(of_run, Mapping) else [of_run]
    if plot.of_runs is not None:
        found.append(plot.of_runs(runs))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_it_says_is_frozen(name: str, whole: tuple[RunAccount, RunAccount]) -> None:
    found = infos(named(name), whole)
    assert found
    for info in found:
        field = (*getattr(info, "_fields", ()), *getattr(info, "__dataclass_fields__", ()))[0]
        with pytest.raises(AttributeError):
            setattr(info, field, None)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_refused_in_one_line(name: str) -> None:
    plot = named(name)
    asked: list[tuple[Any, Any]] = [(plot.of_run, EMPTY), (plot.of_runs, [EMPTY, EMPTY])]
    for info, nothing in asked:
        if info is not None:
            with pytest.raises(NothingToDraw) as caught:
                info(nothing)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_drawn_for_print(name: str, whole: tuple[RunAccount, RunAccount]) -> None:
    for info in infos(named(name), whole):
        canvas: Any = named(name).draw(info).canvas
        canvas.draw()
        assert (np.asarray(canvas.buffer_rgba())[..., :3].mean(axis=2) < 200).mean() > 0.003


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_it(name: str, whole: tuple[RunAccount, RunAccount]) -> None:
    plot = named(name)
    page = render_page(whole)
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert text is not None
    data = json.loads(text[1])
    for key, found in (
        *([("run-0", plot.of_run(whole[0]))] if plot.of_run else []),
        *([("compare", plot.of_runs(whole))] if plot.of_runs else []),
    ):
        for info in found.values() if isinstance(found, Mapping) else [found]:
            chart = plot.chart(info)
            shown = data[key]["charts"][chart.key]["variants"]
            assert len(shown) == len(chart.variants) >= 1
            assert all(any(trace["x"] for trace in variant["data"]) for variant in shown)
            assert f'data-chart="{chart.key}"' in page


def test_names_and_sections_are_known_and_told_once(whole: tuple[RunAccount, RunAccount]) -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert {plot.section for plot in PLOTS if plot.of_run} == set(SECTIONS)
    assert [name for name, *_ in plots_of_runs(whole)] == ["comparison", "hypervolume"]
    assert list(plots_of_runs(whole[:1])) == []
    assert "published-Set5" in [name for name, *_ in plots_of_run(whole[0])]
    assert list(plots_of_run(EMPTY)) == []
