"""The figures of a report as files for print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.account import RunAccount
from reports.plots.sheet import FORMATS, Sheet
from reports.plots.table import plots_of_run, plots_of_runs
from search_spaces.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_figures"]

_PAGE = Sheet.named("page")


def write_figures(
    accounts: Sequence[RunAccount],
    folder: Path,
    sheet: Sheet = _PAGE,
    formats: Sequence[str] = FORMATS,
) -> tuple[Path, ...]:
    """Draws every figure that the runs have something for; of several runs, each in a folder.

    The files are the same, byte for byte, whenever the accounts are. What their captions have to
    say stands beside them in ``captions.txt``.

    Args:
        accounts: the runs.
        folder: for the files; it is made.
        sheet: what the figures are drawn on.
        formats: that each is written in, some of ``reports.plots.sheet.FORMATS``.

    Returns:
        The first file of each figure.

    Raises:
        InputError: the folder cannot be written.
    """
    from reports.plots.style import save_figure

    written, captions = [], []
    for name, figure in _drawn(accounts, sheet):
        written.append(save_figure(figure, folder / name, name, formats)[0])
        captions.append(f"{name}: {figure.get_label()}\n")
    if captions:
        with atomic_path(folder / "captions.txt") as temporary:
            temporary.write_text("\n".join(captions), encoding="utf-8")
    return tuple(written)


def _drawn(accounts: Sequence[RunAccount], sheet: Sheet) -> Iterator[tuple[str, Figure]]:
    for name, plot, info in plots_of_runs(accounts):
        yield name, plot.draw(info, sheet)
    for account in accounts:
        place = f"{account.name}/" if len(accounts) > 1 else ""
        for name, plot, info in plots_of_run(account):
            yield f"{place}{name}", plot.draw(info, sheet)
