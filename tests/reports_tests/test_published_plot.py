"""What the figure of a search among published results says, and that its files are whole."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nas.records import FAILED, FINISHED, TrialRecord
from reports.plots.pareto import Point
from reports.plots.published import PublishedInfo, published_info
from reports.plots.published_figure import save_published
from reports.published import PublishedResult, published_results
from reports.summary import RunSummary
from search_spaces.errors import InputError

SET5 = published_results("Set5", 4)
SUMMARY = RunSummary(
    "Search within 600 K parameters",
    space="distillation",
    profile="quick",
    scale=4,
    budgets={"params": 600_000},
)


def trial(number: int, psnr: float | None, params: int, **more: Any) -> TrialRecord:
    costs: dict[str, Any] = {"macs": params * 50_000, "train_steps": 2000}
    return TrialRecord(number, FINISHED, psnr_y_db=psnr, params=params, **(costs | more))


RUN = (
    trial(0, 29.8, 200_000),
    trial(1, 29.7, 300_000),
    trial(2, 30.2, 500_000),
    trial(3, 30.0, 400_000, source="preset:rfdn"),
    replace(trial(4, 31.0, 100_000), state=FAILED),
)


def paper(network: str, psnr: float, params: float | None, macs: float | None) -> PublishedResult:
    return PublishedResult("A paper", "Table 1", network, "Set5", 4, psnr, 0.9, params, macs)


def own(points: tuple[Point, ...]) -> list[Point]:
    return [point for point in points if not point.published]


def test_published_results_lie_under_the_searchs_own_points() -> None:
    (panel,) = published_info(RUN, SET5, SUMMARY).drawn.panels
    assert panel.axis_label == "Parameters [K]"
    assert [(p.number, p.cost, p.psnr_y_db) for p in own(panel.points)] == [
        (0, 200, 29.8),
        (1, 300, 29.7),
        (2, 500, 30.2),
        (3, 400, 30.0),
    ]
    # Whatever states its parameters, and nothing else.
    stated = sorted((r.params_k, r.psnr_db) for r in SET5 if r.params_k is not None)
    assert sorted((p.cost, p.psnr_y_db) for p in panel.published) == stated
    assert len(stated) == len(SET5) - 1


def test_the_front_is_the_searchs_own() -> None:
    (panel,) = published_info(RUN, SET5, SUMMARY).drawn.panels
    # SRCNN and FSRCNN are cheaper and better than all of them.
    assert [point.number for point in panel.front] == [0, 3, 2]
    assert [point.number for point in panel.others] == [1]


def test_names() -> None:
    (panel,) = published_info(RUN, SET5, SUMMARY, chosen=3).drawn.panels
    names = {p.label: (p.cost, p.psnr_y_db) for p in panel.published if p.label}
    assert names["SRCNN"] == (8, 30.48)
    assert names["IMDN"] == (715, 32.21)
    assert names["RFDN-L"] == (643, 32.28)
    # Table 4 states it as well; its name stands once.
    assert [p.label for p in panel.published].count("RFDN") == 1
    assert {p.label for p in own(panel.points)} == {
        "",
        "best: rfdn, trained here, 30.00 dB",
    }


def test_the_star_is_the_searchs_choice_and_not_the_test_sets() -> None:
    chosen = published_info(RUN, SET5, SUMMARY, chosen=0).drawn.panels[0]
    assert chosen.best is not None
    assert (chosen.best.number, chosen.best.label) == (0, "best: trial 0, 29.80 dB")
    assert "rfdn, trained here" in {point.label for point in chosen.points}
    for number in (None, 4, 17):
        panel = published_info(RUN, SET5, SUMMARY, chosen=number).drawn.panels[0]
        assert panel.best is None
        assert not any(point.label.startswith("best") for point in panel.points)


def test_an_adapted_preset_keeps_its_asterisk() -> None:
    (panel,) = published_info(RUN, SET5, replace(SUMMARY, adapted=frozenset({3}))).drawn.panels
    assert "rfdn*, trained here" in {point.label for point in panel.points}


def test_where_points_crowd_the_better_is_named_and_the_rest_are_told() -> None:
    crowd = [
        paper("A", 32.00, 500, None),
        paper("B", 32.02, 501, None),
        paper("C", 32.02, 502, None),
    ]
    far = [paper("D", 30.0, 10, None)]
    info = published_info(RUN, [*crowd, *far], SUMMARY)
    assert [p.label for p in info.drawn.panels[0].published] == ["C", "", "", "D"]
    assert "unnamed beside better or equal ones: A, B" in info.drawn.notes


def test_the_caption_says_that_the_two_are_trained_differently() -> None:
    caption = " ".join(published_info(RUN, SET5, SUMMARY).caption)
    assert caption.startswith("Trained differently: published systems")
    assert "long training on DIV2K" in caption
    assert "short proxy training (2,000 steps)" in caption
    unknown = [replace(record, train_steps=None) for record in RUN]
    assert "proxy training. The gap" in " ".join(published_info(unknown, SET5, SUMMARY).caption)


def test_title_and_set() -> None:
    drawn = published_info(RUN, SET5, SUMMARY).drawn
    assert drawn.title == "Search within 600 K parameters, among published results"
    assert drawn.subtitle == "distillation space, x4, quick profile · evaluated on Set5"


def test_bicubic_is_a_line_at_its_published_figure() -> None:
    drawn = published_info(RUN, SET5, SUMMARY).drawn
    assert (drawn.bicubic_drawn, drawn.bicubic_psnr_y_db) == (True, 28.42)
    assert drawn.psnr_range_db[0] < 28.42
    assert drawn.psnr_range_db[1] > 32.28
    without = [result for result in SET5 if result.network != "Bicubic"]
    assert not published_info(RUN, without, SUMMARY).drawn.bicubic_drawn


def test_a_bad_network_does_not_squash_the_axis() -> None:
    drawn = published_info([*RUN, trial(5, 12.0, 250_000)], SET5, SUMMARY).drawn
    assert drawn.psnr_range_db == published_info(RUN, SET5, SUMMARY).drawn.psnr_range_db
    assert any(note.startswith("1 network below 28.") for note in drawn.notes)
    assert 5 in {point.number for point in drawn.panels[0].points}


def test_networks_not_evaluated_are_told() -> None:
    notes = published_info(RUN, SET5, SUMMARY, missing=2).drawn.notes
    assert notes[-1] == "2 networks of the front not evaluated"
    assert not any("evaluated" in note for note in published_info(RUN, SET5, SUMMARY).drawn.notes)


@pytest.mark.parametrize(("params", "drawn"), [(600_000, True), (5_000_000, True), (6e6, False)])
def test_the_wall(params: float, drawn: bool) -> None:
    (panel,) = published_info(RUN, SET5, replace(SUMMARY, budgets={"params": params})).drawn.panels
    assert (panel.wall, panel.wall_drawn) == (params / 1000, drawn)
    assert panel.wall_label == f"budget {params / 1000:,.0f} K"
    bare = published_info(RUN, SET5, replace(SUMMARY, budgets={})).drawn.panels[0]
    assert (bare.wall, bare.wall_drawn) == (None, False)


def test_multi_adds_have_a_panel_where_they_are_stated_for_the_same_output() -> None:
    papers = [paper("A", 32.0, 500, 30), paper("B", 31.0, 300, None), paper("C", 30.0, None, 8)]
    info = published_info(RUN, papers, SUMMARY)
    params, macs = info.drawn.panels
    assert {p.label: p.cost for p in params.published} == {"A": 500, "B": 300}
    assert {p.label: p.cost for p in macs.published} == {"A": 30, "C": 8}
    assert [p.cost for p in own(macs.points)] == [10, 15, 25, 20]
    assert macs.axis_label == "Multi-Adds [G], 1280×720 output"
    assert info.drawn.notes == ("C: no parameters stated", "B: no multi-adds stated")
    (only,) = published_info(RUN, papers, replace(SUMMARY, hr=(1080, 1920))).drawn.panels
    assert only.objective.name == "params"


def test_nothing_to_draw_is_one_clear_line() -> None:
    with pytest.raises(InputError, match=r"needs an evaluated network .* got 0 and Set5"):
        published_info(RUN[4:], SET5, SUMMARY)
    with pytest.raises(InputError, match="the results of one test set: got 4 and none"):
        published_info(RUN, [], SUMMARY)
    with pytest.raises(InputError, match="got 4 and Set14, Set5"):
        published_info(RUN, [*SET5, *published_results("Set14", 4)], SUMMARY)
    with pytest.raises(InputError, match="Set5: its published results state no cost"):
        published_info(RUN, [paper("A", 32.0, None, None)], SUMMARY)


def assert_whole(info: PublishedInfo, stem: Path) -> tuple[Path, Path]:
    png, svg = save_published(info, stem)
    with Image.open(png) as image:
        assert image.width >= 1600
        assert image.info["dpi"][0] == pytest.approx(200, abs=1)
        # Blank paper would have one colour.
        assert len(np.unique(np.asarray(image.convert("L")))) > 50
    assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    return png, svg


def test_files_are_whole_and_the_same_each_time(tmp_path: Path) -> None:
    info = published_info(RUN, SET5, SUMMARY, chosen=2, missing=3)
    first = assert_whole(info, tmp_path / "run" / "pareto-Set5")
    again = save_published(info, tmp_path / "again")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


def test_two_panels_with_lone_points_draw(tmp_path: Path) -> None:
    info = published_info(RUN[:1], [paper("_$a$", 32.0, 500, 30)], replace(SUMMARY, budgets={}))
    assert len(info.drawn.panels) == 2
    assert_whole(info, tmp_path / "two")
