"""The figures of a report as files for print: PNG, SVG and PDF of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.account import RunAccount
from reports.plots.table import plots_of_run, plots_of_runs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_figures"]


def write_figures(accounts: Sequence[RunAccount], folder: Path) -> tuple[Path, ...]:
    """Draws every figure that the runs have something for; of several runs, each in a folder.

    The files are the same, byte for byte, whenever the accounts are.

    Returns:
        The PNG files, beside each of which lie an SVG and a PDF.

    Raises:
        InputError: the folder cannot be written.
    """
    from reports.plots.style import save_figure

    written = []
    for name, figure in _drawn(accounts):
        written.append(save_figure(figure, folder / name, name, pdf=True)[0])
    return tuple(written)


def _drawn(accounts: Sequence[RunAccount]) -> Iterator[tuple[str, Figure]]:
    for name, plot, info in plots_of_runs(accounts):
        yield name, plot.draw(info)
    for account in accounts:
        place = f"{account.name}/" if len(accounts) > 1 else ""
        for name, plot, info in plots_of_run(account):
            yield f"{place}{name}", plot.draw(info)
