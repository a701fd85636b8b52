"""``nas report``: a run's tables and pictures, from its study as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nas.cli.evaluated import Evaluated
    from nas.records import TrialRecord
    from nas.run import Run
    from reports.summary import RunSummary

__all__ = ["report", "summarize", "write_report"]


def report(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    storage: Annotated[
        str | None, typer.Option(help="URL of the run's store, if it needs a password.")
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(
            help="Also draw pareto-NAME: the front among the published results on this test set "
            "(Set5, Set14, ...; see nas published)."
        ),
    ] = None,
    test_set: Annotated[
        str | None,
        typer.Option("--set", help="NAME=FOLDER of that set's HR images, to evaluate the front."),
    ] = None,
) -> None:
    """Write a run's tables and pictures anew, and print its summary."""
    from nas.run import open_run
    from search_spaces.errors import InputError

    opened = open_run(run, storage=storage)
    if published is None:
        if test_set is not None:
            raise InputError("--set: goes with --published NAME; nas evaluate measures any folder")
        write_report(opened)
        return
    from nas.cli.evaluated import checked, write_published

    # First, so that what is wrong with it does not come after a page of tables.
    results, folder = checked(published, test_set, opened.about["identity"]["scale"])
    summary = summarize(opened, opened.records())
    picture, evaluated = write_published(opened, summary, results, folder)
    write_report(opened)
    _print_evaluated(picture, results[0].test_set, evaluated.values())


def _print_evaluated(picture: Path, test_set: str, evaluated: Iterable[Evaluated]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for one in sorted(evaluated, key=lambda one: (-one.psnr_y_db, one.number)):
        console.print(
            f"{test_set}  trial {one.number:>3}  {one.psnr_y_db:.3f} dB  {one.ssim_y:.4f}"
        )
    console.print(f"Picture {picture}", soft_wrap=True)


def write_report(run: Run, *, quiet: bool = False) -> None:
    """Writes the tables and the Pareto picture; prints a summary unless ``quiet``."""
    from reports.plots.pareto import pareto_info
    from reports.plots.pareto_figure import save_pareto

    records = run.records()
    run.write_tables(records)
    summary = summarize(run, records)
    drawn = any(record.state == "finished" for record in records)
    if drawn:
        save_pareto(
            pareto_info(records, summary, compressed=run.compressed()), run.folder / "pareto"
        )
    if not quiet:
        _print(run, records, summary, drawn=drawn)


def _print(run: Run, records: Sequence[TrialRecord], summary: RunSummary, *, drawn: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from reports.outcome import summary_rows
    from reports.render import to_rich
    from reports.tables import front_table

    console = Console()
    if drawn:
        console.print(to_rich(front_table(records, summary)))
    grid = Table.grid(padding=(0, 2))
    for name, text in summary_rows(records, summary):
        grid.add_row(name, text)
    console.print(grid)
    if drawn:
        console.print(
            f"Picture {run.folder / 'pareto.png'}, best network "
            f"{run.folder / 'best.yaml'} and {run.folder / 'best.safetensors'}",
            highlight=False,
            soft_wrap=True,
        )


def summarize(run: Run, records: Sequence[TrialRecord]) -> RunSummary:
    """What the reports need to know of the run beside its trials."""
    from nas.records import DUPLICATE, INTERRUPTED, OVER_BUDGET, REJECTED
    from reports.summary import RunSummary

    identity: dict[str, Any] = run.about["identity"]
    rejected = [record for record in records if record.state == REJECTED]
    asked = [record for record in records if record.source == "sampler" and record.architecture]
    asked = [record for record in asked if record.state != INTERRUPTED]
    latency = next((r.made_with["latency"] for r in records if "latency" in r.made_with), None)
    return RunSummary(
        title=_title(run),
        space=identity["space"],
        data=identity["data"],
        profile=identity["profile"],
        scale=identity["scale"],
        objectives=run.objectives,
        budgets=run.budgets,
        hr=tuple(identity["hr"]),
        latency_at=_latency_at(latency) if latency else "",
        bicubic_psnr_y_db=run.about.get("bicubic", {}).get("psnr_y_db"),
        proposals=len(asked),
        proposals_fit=sum(record.reason != OVER_BUDGET for record in asked),
        duplicates=sum(record.reason == DUPLICATE for record in rejected),
        adapted=_adapted(records, identity["scale"]),
    )


def _title(run: Run) -> str:
    from nas.objectives import OBJECTIVES

    walls = [
        f"{one.shown(run.budgets[one.attribute]):g} {one.unit} {one.label.lower()}"
        for one in OBJECTIVES.values()
        if one.attribute in run.budgets
    ]
    return f"Search within {' and '.join(walls)}" if walls else "Search without a budget"


def _latency_at(latency: dict[str, Any]) -> str:
    height, width = latency["lr_size"]
    return f"{width}×{height} input, {latency['device']}, {latency['threads']} threads"


def _adapted(records: Sequence[TrialRecord], scale: int) -> frozenset[int]:
    """The trials of presets that the space writes differently from the published network."""
    published = [record for record in records if record.preset is not None]
    if not published:
        return frozenset()
    from search_spaces import preset, preset_names

    return frozenset(
        record.number
        for record in published
        if record.preset not in preset_names()
        or preset(record.preset, scale).hash != record.architecture_hash
    )
