"""The plots of a report: the one table of them, which print, page and tests read.

``side_by_side`` is not among them: it is of a photo and any networks, not of a run.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from reports.account import RunAccount
from reports.plots.audit import AuditInfo, audit_info
from reports.plots.comparison import comparison_info
from reports.plots.compression import compression_info
from reports.plots.importance import importance_info
from reports.plots.latency import latency_info
from reports.plots.pareto import ParetoInfo, pareto_info
from reports.plots.progress import progress_info
from reports.plots.published import PublishedInfo
from reports.plots.rungs import rungs_info
from reports.plots.savings import savings_info
from reports.plots.sheet import SCREEN, Sheet
from search_spaces.errors import NothingToDraw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from reports.html.chart import Chart

__all__ = ["PLOTS", "SECTIONS", "Plot", "known", "plots_of_run", "plots_of_runs"]

_Info = TypeVar("_Info")


class Plot(NamedTuple):
    """A plot: what it says, and how that is drawn for print and for the page.

    The functions that draw take what it says, a frozen record, and are named as
    ``"module:function"``: matplotlib is loaded where one draws for print.

    Attributes:
        name: of its files.
        section: of the page that it stands in, one of ``SECTIONS``.
        printed: draws it for print.
        charted: makes the page's chart of it.
        of_run: what it says of a run, or of each of several things by name; raises
            NothingToDraw where there is nothing to say. ``None`` where it is of several runs alone.
        of_runs: what it says of several runs beside each other, if it is for them.
    """

    name: str
    section: str
    printed: str
    charted: str
    of_run: Callable[[RunAccount], Any] | None = None
    of_runs: Callable[[Sequence[RunAccount]], Any] | None = None

    def draw(self, info: Any, sheet: Sheet = SCREEN) -> Figure:
        """The figure for print."""
        figure: Figure = pkgutil.resolve_name(self.printed)(info, sheet)
        return figure

    def chart(self, info: Any) -> Chart:
        """The chart of the page."""
        chart: Chart = pkgutil.resolve_name(self.charted)(info)
        return chart


SECTIONS = {
    "front": "Front",
    "progress": "Progress",
    "training": "Training",
    "dimensions": "Dimensions",
    "latency": "Latency",
    "audit": "Audit",
    "compression": "Compression",
}
"""The page's sections with plots of a run, in order, and their titles."""


def _pareto(account: RunAccount) -> ParetoInfo:
    return pareto_info(account.records, account.summary, compressed=account.compressed)


def _audit(account: RunAccount) -> AuditInfo:
    if account.audit is None:
        raise NothingToDraw("an audit's figure needs an audit: got none; nas audit makes one")
    return audit_info(account.audit, "Short trainings against long ones")


def _published(account: RunAccount) -> Mapping[str, PublishedInfo]:
    if not account.published:
        raise NothingToDraw("published results need an evaluated network: got none")
    return account.published


_CHARTS = "reports.html.charts"
_PARETO = "reports.html.pareto_chart"

PLOTS = (
    Plot(
        "comparison", "compare", "reports.plots.comparison_figure:draw_comparison",
        f"{_PARETO}:comparison_chart", of_runs=comparison_info,
    ),
    Plot(
        "pareto", "front", "reports.plots.pareto_figure:draw_pareto", f"{_PARETO}:pareto_chart",
        _pareto,
    ),
    Plot(
        "published", "front", "reports.plots.published_figure:draw_published",
        f"{_PARETO}:published_chart", _published,
    ),
    Plot(
        "hypervolume", "progress", "reports.plots.progress_figure:draw_progress",
        f"{_CHARTS}:progress_chart", lambda run: progress_info([run]), progress_info,
    ),
    Plot(
        "rungs", "training", "reports.plots.rungs_figure:draw_rungs", f"{_CHARTS}:rungs_chart",
        lambda run: rungs_info(run.records, run.summary),
    ),
    Plot(
        "savings", "training", "reports.plots.savings_figure:draw_savings",
        f"{_CHARTS}:savings_chart", lambda run: savings_info(run.records, run.full_steps),
    ),
    Plot(
        "importance", "dimensions", "reports.plots.importance_figure:draw_importance",
        f"{_CHARTS}:importance_chart", lambda run: importance_info(run.importance),
    ),
    Plot(
        "latency", "latency", "reports.plots.latency_figure:draw_latency",
        f"{_CHARTS}:latency_chart", lambda run: latency_info(run.records, run.summary),
    ),
    Plot(
        "audit", "audit", "reports.plots.audit_figure:draw_audit",
        "reports.html.audit_chart:audit_chart", _audit,
    ),
    Plot(
        "compression", "compression", "reports.plots.compression_figure:draw_compression",
        f"{_CHARTS}:compression_chart",
        lambda run: compression_info(run.compressed, run.records, run.summary),
    ),
)  # fmt: skip
"""Every plot, in the order of a report."""


def known(info: Callable[[], _Info]) -> _Info | None:
    """What a plot says, or None where the run has nothing to say there."""
    try:
        return info()
    except NothingToDraw:
        return None


def plots_of_run(account: RunAccount) -> Iterator[tuple[str, Plot, Any]]:
    """The name, the plot and what it says, of each that has something to say of a run."""
    for plot in PLOTS:
        of_run = plot.of_run
        found = None if of_run is None else known(lambda of_run=of_run: of_run(account))  # type: ignore[misc]
        if isinstance(found, Mapping):
            yield from ((f"{plot.name}-{name}", plot, info) for name, info in found.items())
        elif found is not None:
            yield plot.name, plot, found


def plots_of_runs(accounts: Sequence[RunAccount]) -> Iterator[tuple[str, Plot, Any]]:
    """The same of several runs beside each other; nothing of fewer than two."""
    for plot in PLOTS if len(accounts) > 1 else ():
        of_runs = plot.of_runs
        found = None if of_runs is None else known(lambda of_runs=of_runs: of_runs(accounts))  # type: ignore[misc]
        if found is not None:
            yield plot.name, plot, found
