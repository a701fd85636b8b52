"""The figures of a report as files for print: PNG, SVG and PDF of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from reports.account import RunAccount
from reports.plots.comparison import comparison_info
from reports.plots.compression import compression_info
from reports.plots.importance import importance_info
from reports.plots.latency import latency_info
from reports.plots.pareto import pareto_info
from reports.plots.progress import progress_info
from reports.plots.rungs import rungs_info
from reports.plots.savings import savings_info
from search_spaces.errors import NothingToDraw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["known", "write_figures"]

_Info = TypeVar("_Info")


def known(info: Callable[[], _Info]) -> _Info | None:
    """What a figure says, or None where the run has nothing to say there."""
    try:
        return info()
    except NothingToDraw:
        return None


def write_figures(accounts: Sequence[RunAccount], folder: Path) -> tuple[Path, ...]:
    """Draws every figure that the runs have something for; of several runs, each in a folder.

    The files are the same, byte for byte, whenever the accounts are.

    Returns:
        The PNG files, beside each of which lie an SVG and a PDF.

    Raises:
        WriteError: the folder cannot be written.
    """
    from reports.plots.style import save_figure

    written = []
    for name, figure in _drawn(accounts):
        written.append(save_figure(figure, folder / name, name, pdf=True)[0])
    return tuple(written)


def _drawn(accounts: Sequence[RunAccount]) -> Iterator[tuple[str, Figure]]:
    if len(accounts) > 1:
        from reports.plots.comparison_figure import draw_comparison
        from reports.plots.progress_figure import draw_progress

        if (compared := known(lambda: comparison_info(accounts))) is not None:
            yield "comparison", draw_comparison(compared)
        if (progress := known(lambda: progress_info(accounts))) is not None:
            yield "hypervolume", draw_progress(progress)
    for account in accounts:
        place = f"{account.name}/" if len(accounts) > 1 else ""
        for name, figure in _of_run(account):
            yield f"{place}{name}", figure


def _of_run(account: RunAccount) -> Iterator[tuple[str, Figure]]:
    from reports.plots.compression_figure import draw_compression
    from reports.plots.importance_figure import draw_importance
    from reports.plots.latency_figure import draw_latency
    from reports.plots.pareto_figure import draw_pareto
    from reports.plots.progress_figure import draw_progress
    from reports.plots.published_figure import draw_published
    from reports.plots.rungs_figure import draw_rungs
    from reports.plots.savings_figure import draw_savings

    records, summary = account.records, account.summary
    if (
        pareto := known(lambda: pareto_info(records, summary, compressed=account.compressed))
    ) is not None:
        yield "pareto", draw_pareto(pareto)
    for test_set, info in account.published.items():
        yield f"published-{test_set}", draw_published(info)
    if (progress := known(lambda: progress_info([account]))) is not None:
        yield "hypervolume", draw_progress(progress)
    if (importance := known(lambda: importance_info(account.importance))) is not None:
        yield "importance", draw_importance(importance)
    if (rungs := known(lambda: rungs_info(records, summary))) is not None:
        yield "rungs", draw_rungs(rungs)
    if (savings := known(lambda: savings_info(records, account.full_steps))) is not None:
        yield "savings", draw_savings(savings)
    if (latency := known(lambda: latency_info(records, summary))) is not None:
        yield "latency", draw_latency(latency)
    path = known(lambda: compression_info(account.compressed, records, summary))
    if path is not None:
        yield "compression", draw_compression(path)
