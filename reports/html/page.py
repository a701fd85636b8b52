"""The page itself: one file with everything inside that opens from disk without a network."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from pathlib import Path

from nas.objectives import OBJECTIVES
from nas.pareto import front
from nas.records import FINISHED
from reports.account import RunAccount
from reports.alike import between_runs
from reports.html.view import RunView, Section, run_view
from reports.plots.table import plots_of_runs
from reports.tables import UNKNOWN
from search_spaces.errors import InputError
from search_spaces.files import atomic_path
from search_spaces.regular import open_regular

__all__ = ["is_page", "render_page", "write_page"]

_SCRIPTS = ("theme.js", "names.js", "charts.js", "panel.js", "tables.js", "tabs.js")

_MARK = b'<meta name="generator" content="nas report">'
"""As it stands in the template, among the first lines."""
_MARK_WITHIN = 1000


def render_page(accounts: Sequence[RunAccount], left_out: Sequence[str] = ()) -> str:
    """The page of one run or several.

    Args:
        accounts: what to tell; their names differ.
        left_out: runs that could not be read and why, a line each; told on the page.

    Raises:
        InputError: no run has a finished trial, so that there is nothing to draw.
    """
    from jinja2 import Environment, PackageLoader
    from markupsafe import Markup

    if not any(record.state == FINISHED for a in accounts for record in a.records):
        names = ", ".join(account.name for account in accounts) or "no run"
        raise InputError(
            f"{names}: no trial has finished, so there is nothing to draw; let the search go on"
        )
    views = [run_view(account, f"run-{index}") for index, account in enumerate(accounts)]
    compared = _compared(accounts)
    data = {view.key: view.data() for view in views}
    if compared is not None:
        charts = {chart.key: chart.plain() for chart in compared.charts}
        data["compare"] = {"trials": {}, "charts": charts}
    environment = Environment(
        loader=PackageLoader("reports.html", "templates"), autoescape=True,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    title = accounts[0].summary.title or "Search"
    return environment.get_template("page.html").render(
        title=title if len(accounts) == 1 else f"{len(accounts)} searches compared",
        views=views,
        compared=compared,
        compared_table=_table(views),
        several=len(accounts) > 1,
        left_out=left_out,
        data=data,
        style=Markup(_static("style.css")),
        scripts=[Markup(_static(name)) for name in _SCRIPTS],
        plotly=Markup(_plotly()),
    )


def is_page(path: Path) -> bool:
    """Whether a file is there that `write_page` has written."""
    try:
        with open_regular(path) as file:
            return _MARK in file.read(_MARK_WITHIN)
    except OSError:
        return False


def write_page(accounts: Sequence[RunAccount], path: Path, left_out: Sequence[str] = ()) -> None:
    """Writes the page, whole or not at all.

    Raises:
        InputError: nothing to draw, or the folder cannot be written.
    """
    page = render_page(accounts, left_out)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _compared(accounts: Sequence[RunAccount]) -> Section | None:
    if len(accounts) < 2:
        return None
    charts = [plot.chart(info) for _, plot, info in plots_of_runs(accounts)]
    return Section("compare", "Comparison", tuple(charts))


def _table(views: Sequence[RunView]) -> dict[str, object]:
    """A row for each run: what was trained and what its best network is."""
    costs = [OBJECTIVES[name] for name in ("psnr", "params", "macs", "latency")]
    heads = ["Finished", "Front", *(f"Best {costs[0].label}", *(one.label for one in costs[1:]))]
    rows, bests = [], []
    for view in views:
        records, summary = view.account.records, view.account.summary
        top = summary.choice.best(records)
        bests.append((view.account.name, top, summary))
        figures = [None if top is None else one.value(top) for one in costs]
        rows.append(
            (
                view,
                [
                    str(sum(record.state == FINISHED for record in records)),
                    str(len(front(records, summary.weighed))),
                    *(
                        UNKNOWN if figure is None else one.text(figure)
                        for one, figure in zip(costs, figures, strict=True)
                    ),
                ],
            )
        )
    return {"heads": heads, "rows": rows, "note": between_runs(bests)}


def _static(name: str) -> str:
    content = pkgutil.get_data("reports.html", f"static/{name}")
    assert content is not None
    return content.decode("utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
