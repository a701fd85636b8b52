"""The walk of a maintainer who adds an objective and a plot, as CONTRIBUTING.md says.

    python -m benchmarks.walks.maintainer

In a clone of this repository (what is committed): an `Objective` in the table of
`nas/objectives.py`, what a network's weights take in a file of two bytes each, and a plot in
`reports/plots/` with a line in its table, training time against parameters. The tests of the
tables find both by themselves. Then a search by the objective shows it on the screen and in its
tables, and `nas report` the plot in the page and among the figures for print.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.hardware import header_line
from benchmarks.walks.walk import REPOSITORY, Walk, walking

_PRICE = '''

def _weights_kb(architecture: Any, hr: tuple[int, int]) -> float:
    """What the weights take in a file, at two bytes each, in KB."""
    from search_spaces import price

    return 2 * price(architecture).params / 1000


_ALL = (
'''
_OBJECTIVE = """    Objective(
        "weights", False, "KB", "Weights", units={"KB": 1.0, "MB": 1e3}, example="60KB-weights",
        about="two bytes each", price=_weights_kb,
    ),
)  # fmt: skip

OBJECTIVES: """
_INFO = '''"""What training takes, by the size of a network.

:func:`duration_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nas.objectives import OBJECTIVES
from nas.records import TrialRecord
from search_spaces.errors import NothingToDraw

__all__ = ["DurationInfo", "duration_info"]


class DurationInfo(NamedTuple):
    """All that the figure says; ``points`` are (trial, K parameters, seconds)."""

    title: str
    subtitle: str
    points: tuple[tuple[int, float, float], ...]
    axis_labels: tuple[str, str]


def duration_info(records: Iterable[TrialRecord]) -> DurationInfo:
    """What the figure of a run says.

    Raises:
        NothingToDraw: nothing was trained.
    """
    params = OBJECTIVES["params"]
    points = tuple(
        (r.number, params.shown(size), r.train_seconds)
        for r in records
        if r.train_seconds and (size := params.value(r)) is not None
    )
    if not points:
        raise NothingToDraw("training time needs a trained network: got none")
    return DurationInfo(
        "Training time", f"{len(points)} networks", points, ("Parameters [K]", "Training time [s]")
    )
'''
_FIGURE = '''"""Drawing of training time. Imported only when it is drawn: it loads matplotlib."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.plots.duration import DurationInfo
from reports.plots.frame import framed, plain_axis
from reports.plots.sheet import SCREEN, Sheet
from reports.plots.style import TRIAL

__all__ = ["draw_duration"]


def draw_duration(info: DurationInfo, sheet: Sheet = SCREEN) -> Figure:
    """The figure that ``info`` describes."""
    frame = framed(info.title, info.subtitle, 1, sheet=sheet)
    (axis,) = frame.axes
    plain_axis(axis, *info.axis_labels)
    axis.scatter([x for _, x, _ in info.points], [y for _, _, y in info.points], color=TRIAL)
    return frame.figure
'''
_CHART = '''"""The page's chart of training time."""

from __future__ import annotations

from reports.html.chart import Chart, Variant, axis, layout, markers
from reports.plots.duration import DurationInfo

__all__ = ["duration_chart"]


def duration_chart(info: DurationInfo) -> Chart:
    """A point for each network."""
    points = {number: (x, y) for number, x, y in info.points}
    across, up = map(axis, info.axis_labels)
    traces = [markers("network", points, "$trial", 9)]
    return Chart("duration", info.title, info.subtitle, (Variant("", traces, layout(across, up)),))
'''
_LINE = """    Plot(
        "duration", "training", "reports.plots.duration_figure:draw_duration",
        "reports.html.duration_chart:duration_chart", lambda run: duration_info(run.records),
    ),
)  # fmt: skip
\"\"\"Every plot"""


def main() -> None:
    """Walks; ends non-zero where something is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder to walk in; default: a temporary one")
    arguments = parser.parse_args()
    print(header_line())
    with walking("maintainer", arguments.keep) as folder:
        clone = folder / "clone"
        subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
        walk = Walk(clone, clone)
        add_objective(clone)
        add_plot(clone)
        tests(walk)
        seen(walk)


def add_objective(clone: Path) -> None:
    """An entry in the table of objectives, with its price."""
    path = clone / "nas" / "objectives.py"
    insert(path, "\n_ALL = (\n", _PRICE)
    insert(path, ")  # fmt: skip\n\nOBJECTIVES: ", _OBJECTIVE)


def add_plot(clone: Path) -> None:
    """The record and its drawing, the page's chart, and the line in the table."""
    reports = clone / "reports"
    for name, text in (("plots/duration.py", _INFO), ("plots/duration_figure.py", _FIGURE),
                       ("html/duration_chart.py", _CHART)):  # fmt: skip
        (reports / name).write_text(text, encoding="utf-8")
        print(f"written: reports/{name}")
    table = reports / "plots" / "table.py"
    insert(table, ')  # fmt: skip\n"""Every plot', _LINE)
    before = "from reports.plots.importance import importance_info\n"
    insert(table, before, f"from reports.plots.duration import duration_info\n{before}")


def insert(path: Path, place: str, text: str) -> None:
    """Puts the text in the one place where ``place`` stands."""
    source = path.read_text(encoding="utf-8")
    if source.count(place) != 1:
        sys.exit(f"broken: {path.name} was expected to hold this once: {place!r}")
    path.write_text(source.replace(place, text), encoding="utf-8")
    print(f"changed: {path.name}")


def tests(walk: Walk) -> None:
    """Those of the tables, and what the rules ask for."""
    said = walk.run(
        "python -m pytest -q -rA -p no:cacheprovider tests/nas_tests/test_objectives.py "
        "tests/reports_tests/test_plot_table.py",
        "the tests of the tables find both by themselves", quiet=True,
    )  # fmt: skip
    for name in ("shown[weights]", "frozen[duration]", "refused_in_one_line[duration]",
                 "drawn_for_print[duration]", "page_shows_it[duration]"):  # fmt: skip
        walk.holds(f"a test ran and passed: {name}", f"{name}\n" in said)
    walk.run("ruff check -q nas/objectives.py reports/plots reports/html", "no fault of style")
    walk.run("ruff format --check -q nas/objectives.py reports/plots reports/html", "nor of form")


def seen(walk: Walk) -> None:
    """On the screen, in the tables, in the page and among the figures."""
    said = walk.run("nas search --help", "the help names objective and budget", quiet=True)
    words = " ".join(said.replace("│", " ").split())
    walk.holds("the help has 60KB-weights (two bytes each)",
               "60KB-weights" in words and "two bytes each" in words)  # fmt: skip
    said = walk.run(
        "nas search --space tiny --profile smoke --trials 3 --budget 20KB-weights "
        "--objectives psnr,weights --run run", "a front of PSNR-Y and weights, none above 20 KB",
    )  # fmt: skip
    walk.holds("the screen names it", "Front of PSNR-Y, Weights" in said)
    walk.holds("and the budget", "weights <= 20.0 KB" in said)
    walk.holds("a column of the table",
               ",weights" in (walk.folder / "run" / "trials.csv").read_text("utf-8"))  # fmt: skip
    walk.run("nas report run", "the plot in the page and among the figures")
    page = (walk.folder / "run" / "report.html").read_text("utf-8")
    walk.holds("the page has the chart", 'data-chart="duration"' in page)
    walk.holds("and the objective", "Weights" in page)
    walk.has(*(f"run/figures/duration.{ending}" for ending in ("png", "svg", "pdf")))


if __name__ == "__main__":
    main()
