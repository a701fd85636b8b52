"""``nas worker``: help with a search that another machine has begun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["worker"]


def worker(
    storage: Annotated[
        str,
        typer.Option(
            help="URL of the search's store; or in the variable NAS_STORAGE, where no list of "
            "processes shows its password.",
            envvar="NAS_STORAGE",
            show_envvar=False,
        ),
    ],
    study: Annotated[str, typer.Option(help="The study's name: that of the run folder.")],
    checkpoints: Annotated[
        str | None,
        typer.Option(
            help="The folder or URL that all workers share, where it is mounted elsewhere here. "
            "Default: what the search says."
        ),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Where the search's training photos lie here.")
    ] = None,
    val: Annotated[
        Path | None, typer.Option(help="Where the search's validation photos lie here.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda. Default: the best.")] = None,
    timeout: Annotated[
        str | None, typer.Option(help="Start no trial after this time: 90s, 5m, 2h.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on standard output.")
    ] = False,
) -> None:
    """Work on a search that nas search has begun, here or on another machine.

    The study in the store says what to do; the photos must be the same, and checkpoints must
    lie where all workers see them. Ctrl-C or a polite kill hands the network back with its
    checkpoint; any other death does so after a minute.
    """
    from nas.cli.insisting import ended_by_the_second
    from nas.cli.progress import make_observer
    from nas.explore.values import parse_seconds
    from nas.stopping import stop_wish
    from nas.workers.job import Job
    from nas.workers.join import work_on

    job = Job(
        storage,
        study,
        checkpoints=checkpoints,
        data=str(data) if data is not None else None,
        val=str(val) if val is not None else None,
        device=device,
        timeout_s=parse_seconds(timeout) if timeout is not None else None,
    )
    observer, display = make_observer(json_lines)
    try:
        with ended_by_the_second(), stop_wish() as wish, wish.at_once():
            work_on(job, observer)
    finally:
        if display is not None:
            display.stop()
