"""``nas report``: a run's tables and pictures, from its study as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from nas.cli.console import PlainConsole
from nas.cli.options import BEST, OUTPUT, Force, Storage, argument, option
from nas.cli.report.account import gather, names_of
from nas.cli.report.summarize import summarize
from nas.cli.targets import check_folder, check_target
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nas.cli.report.evaluated import Evaluated
    from nas.records import TrialRecord
    from nas.run import Run
    from reports.account import RunAccount
    from reports.plots.sheet import Sheet
    from reports.summary import RunSummary

__all__ = ["report", "write_report"]


class _Printed(NamedTuple):
    """How the figures for print are to be."""

    sheet: Sheet
    formats: tuple[str, ...]


def report(
    runs: Annotated[list[Path], argument("The run folders.", metavar="RUN...")],
    output: Annotated[
        Path | None,
        option(
            "Folder for report.html and figures/. Default: the run folder, with tables and "
            "pictures anew; of several runs, the folder report.",
            *OUTPUT,
        ),
    ] = None,
    storage: Storage = None,
    prefer: Annotated[
        str | None,
        option(f"{BEST} Without --output the run keeps to it. Default: as the run has it."),
    ] = None,
    published: Annotated[
        str | None,
        option(
            "Also draw pareto-NAME: the front among the published results on this test set (Set5, "
            "Set14, ...; see nas published)."
        ),
    ] = None,
    test_set: Annotated[
        str | None,
        option("NAME=FOLDER of that set's HR images, to evaluate the front.", "--set"),
    ] = None,
    figures: Annotated[
        str, option("What the figures for print are written as: some of png,svg,pdf.")
    ] = "png,svg,pdf",
    width: Annotated[
        str, option("Of the figures for print: column (3.5 inches) or page (7.16 inches).")
    ] = "page",
    titles: Annotated[
        bool,
        option("Title, caption and notes inside the figures; else in captions.txt.", "--titles"),
    ] = False,
    force: Force = False,
) -> None:
    """Write a page on one run or several, figures for print, and print a summary."""
    from nas.choice import check_preference
    from nas.run import open_run
    from reports.plots.sheet import Sheet, formats_of

    printed = _Printed(Sheet.named(width, titled=titles), formats_of(figures))
    if test_set is not None and published is None:
        raise InputError("--set: goes with --published NAME; nas evaluate measures any folder")
    if published is not None and len(runs) > 1:
        raise InputError(f"--published: expected one run, got {len(runs)}; report them one by one")
    if prefer is not None:
        check_preference(prefer)
    if len(runs) > 1:
        output = output or Path("report")
        _check_page(output, force=force)
        _report_several(runs, output, storage, prefer, printed)
        return
    run = open_run(runs[0], storage=storage)
    _check_page(output or run.folder, force=force)
    if prefer is not None:
        run = run.preferring(prefer, keep=output is None)
    if published is not None:
        from nas.cli.report.evaluated import checked, write_published

        # First, so that what is wrong with it does not come after a page of tables.
        results, folder = checked(published, test_set, run.about["identity"]["scale"])
        summary = summarize(run, run.records())
        picture, evaluated = write_published(run, summary, results, folder)
    account = gather(run, names_of(runs)[0])
    if output is None:
        _write_own(run, account.records, account.summary)
    page = _write_page([account], output or run.folder, printed)
    _print(run, account.records, account.summary, drawn=True, own=output is None)
    if published is not None:
        _print_evaluated(picture, results[0].test_set, evaluated.values())
    _tell(page)


def _report_several(
    folders: Sequence[Path],
    output: Path,
    storage: str | None,
    prefer: str | None,
    printed: _Printed,
) -> None:
    """One page on several runs; those that cannot be read are left out and told at the end."""
    from nas.run import open_run

    accounts, failed = [], []
    for folder, name in zip(folders, names_of(folders), strict=True):
        try:
            run = open_run(folder, storage=storage)
            accounts.append(gather(run if prefer is None else run.preferring(prefer), name))
        except InputError as error:
            failed.append(str(error))
    if not accounts:
        raise InputError(failed[0])
    _tell(_write_page(accounts, output, printed, failed))
    if failed:
        raise InputError(f"left out of the report: {'; '.join(failed)}")


def _check_page(folder: Path, *, force: bool) -> None:
    """Leaves a page and figures that are not ours: ours are written anew, as often as one likes."""
    from reports.html.page import is_page

    page = folder / "report.html"
    if not is_page(page):
        check_target(page, force=force)
        check_folder(folder / "figures", force=force)


def _write_page(
    accounts: Sequence[RunAccount], folder: Path, printed: _Printed, left_out: Sequence[str] = ()
) -> Path:
    from reports.figures import write_figures
    from reports.html.page import write_page

    page = folder / "report.html"
    write_page(accounts, page, left_out)
    write_figures(accounts, folder / "figures", *printed)
    return page


def _tell(page: Path) -> None:
    PlainConsole(highlight=False).print(
        f"Page {page}, figures for print in {page.parent / 'figures'}", soft_wrap=True
    )


def _print_evaluated(picture: Path, test_set: str, evaluated: Iterable[Evaluated]) -> None:
    console = PlainConsole(highlight=False)
    for one in sorted(evaluated, key=lambda one: (-one.psnr_y_db, one.number)):
        console.print(
            f"{test_set}  trial {one.number:>3}  {one.psnr_y_db:.3f} dB  {one.ssim_y:.4f}"
        )
    console.print(f"Picture {picture}", soft_wrap=True)


def write_report(run: Run, *, quiet: bool = False) -> None:
    """Writes the tables and the Pareto picture; prints a summary unless ``quiet``."""
    records = run.records()
    summary = summarize(run, records)
    drawn = _write_own(run, records, summary)
    if not quiet:
        _print(run, records, summary, drawn=drawn)
        if drawn:
            print(f"All figures in one page: nas report {run.folder}")


def _write_own(run: Run, records: Sequence[TrialRecord], summary: RunSummary) -> bool:
    """Writes what lies in the run folder itself; returns whether there was something to draw."""
    from nas.tables import rewrite_tables
    from reports.plots.pareto import pareto_info
    from reports.plots.pareto_figure import save_pareto

    rewrite_tables(run)
    drawn = any(record.state == "finished" for record in records)
    if drawn:
        save_pareto(
            pareto_info(records, summary, compressed=run.compressed()), run.folder / "pareto"
        )
    return drawn


def _print(
    run: Run,
    records: Sequence[TrialRecord],
    summary: RunSummary,
    *,
    drawn: bool,
    own: bool = True,
) -> None:
    from rich.table import Table

    from reports.outcome import summary_rows
    from reports.render import to_rich
    from reports.tables import front_table

    console = PlainConsole()
    if drawn:
        console.print(to_rich(front_table(records, summary), console.width))
    grid = Table.grid(padding=(0, 2))
    for name, text in summary_rows(records, summary):
        grid.add_row(name, text)
    console.print(grid)
    if drawn and own:
        console.print(
            f"Picture {run.folder / 'pareto.png'}, best network "
            f"{run.folder / 'best.yaml'} and {run.folder / 'best.safetensors'}",
            highlight=False,
            soft_wrap=True,
        )
