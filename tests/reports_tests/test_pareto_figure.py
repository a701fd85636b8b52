"""That the Pareto figure is drawn, and its files are whole."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from reports.plots.pareto import ParetoInfo, pareto_info
from reports.plots.pareto_figure import draw_pareto, save_pareto
from reports.summary import RunSummary
from search_spaces.errors import InputError
from tests.reports_tests.test_pareto_plot import RUN, SUMMARY, trial

_ROOT = Path(__file__).resolve().parents[2]


def assert_whole(info: ParetoInfo, stem: Path) -> tuple[Path, Path]:
    png, svg = save_pareto(info, stem)
    with Image.open(png) as image:
        assert image.format == "PNG"
        assert image.width >= 1200
        assert image.height >= 800
        assert image.info["dpi"][0] == pytest.approx(200, abs=1)
        # Blank paper would have one colour.
        assert len(np.unique(np.asarray(image.convert("L")))) > 50
    assert ElementTree.parse(svg).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert 10_000 < svg.stat().st_size < 1_000_000
    return png, svg


def test_files_are_whole_and_the_same_each_time(tmp_path: Path) -> None:
    small = replace(trial(3, 29.4, 350_000), source="compressed:prune", architecture_hash="x")
    noisy = replace(SUMMARY, noise_db=0.2)
    info = pareto_info(RUN, noisy, compressed=(small,))
    first = assert_whole(info, tmp_path / "run" / "0.6M")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["0.6M.png", "0.6M.svg"]
    again = save_pareto(info, tmp_path / "again")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


def test_compressed_networks_and_the_noise_are_drawn() -> None:
    small = replace(trial(3, 29.4, 350_000), source="compressed:prune", architecture_hash="x")
    plain = draw_pareto(pareto_info(RUN, SUMMARY))
    compressed = draw_pareto(pareto_info(RUN, SUMMARY, compressed=(small,)))
    noisy = draw_pareto(pareto_info(RUN, replace(SUMMARY, noise_db=0.2)))
    assert "compressed" not in words_of(plain)
    assert "compressed" in words_of(compressed)
    for more, without in zip(compressed.axes, plain.axes, strict=True):
        assert len(more.get_children()) > len(without.get_children())
    for more, without in zip(noisy.axes, plain.axes, strict=True):
        assert len(more.patches) == len(without.patches) + 1


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_one_trial_with_odd_names_draws(tmp_path: Path) -> None:
    # A lone $ or an underscore would be mathematics or a hidden label to matplotlib.
    odd = RunSummary("_cost $5 & <x>", budgets={"params": 10**12}, data="$a_b$")
    run = [trial(0, 29.0, 200_000, source="preset:_a$b$", latency_ms=None)]
    assert_whole(pareto_info(run, odd), tmp_path / "one")


def test_equal_trials_draw(tmp_path: Path) -> None:
    same = [replace(RUN[0], number=number) for number in range(3)]
    assert_whole(pareto_info(same, SUMMARY, ["params"]), tmp_path / "same")


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        save_pareto(pareto_info(RUN, SUMMARY), tmp_path / "file" / "pareto")


def test_drawing_leaves_matplotlibs_global_state_alone(tmp_path: Path) -> None:
    # copy() and not dict(): reading the backend would make matplotlib choose one.
    code = """
import sys
import matplotlib as mpl
from nas.records import TrialRecord
from reports.plots.pareto import pareto_info
from reports.plots.pareto_figure import save_pareto
from reports.summary import RunSummary
before = mpl.rcParams.copy()
run = [TrialRecord(0, "finished", params=1000, psnr_y_db=29.0)]
save_pareto(pareto_info(run, RunSummary("Search")), sys.argv[1])
print(mpl.rcParams.copy() == before, "matplotlib.pyplot" in sys.modules)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "pareto")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT)
    assert done.stdout.split() == ["True", "False"]
