"""``nas worker``: help with a search that another machine has begun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nas.cli.options import Device, JsonLines, Timeout, option

__all__ = ["worker"]


def worker(
    storage: Annotated[
        str,
        option(
            "URL of the search's store; or in the variable NAS_STORAGE, where no list of processes "
            "shows its password.",
            envvar="NAS_STORAGE", show_envvar=False,
        ),
    ],
    study: Annotated[str, option("The study's name: that of the run folder.")],
    checkpoints: Annotated[
        str | None,
        option(
            "The folder or URL that all workers share, where it is mounted elsewhere here. "
            "Default: what the search says."
        ),
    ] = None,
    data: Annotated[Path | None, option("Where the search's training photos lie here.")] = None,
    lr: Annotated[Path | None, option("Where their LR images lie here.", "--lr")] = None,
    val: Annotated[Path | None, option("Where the search's validation photos lie here.")] = None,
    val_lr: Annotated[Path | None, option("Where their LR images lie here.")] = None,
    device: Device = None,
    timeout: Timeout = None,
    json_lines: JsonLines = False,
) -> None:  # fmt: skip
    """Work on a search that nas search has begun, here or on another machine.

    The study in the store says what to do; the photos must be the same, and checkpoints must
    lie where all workers see them. Ctrl-C or a polite kill hands the network back with its
    checkpoint; any other death does so after a minute.
    """
    from nas.cli.interrupts import ended_by_the_second
    from nas.cli.progress import make_observer
    from nas.data.places import PhotoPlaces
    from nas.explore.values import parse_seconds
    from nas.stopping import stop_wish
    from nas.workers.job import WorkerJob
    from nas.workers.join import work_on

    job = WorkerJob(
        storage, study, checkpoints=checkpoints, device=device,
        **PhotoPlaces.of(data, val, lr, val_lr).only_plain(),
        timeout_s=parse_seconds(timeout) if timeout is not None else None,
    )  # fmt: skip
    with (
        make_observer(json_lines) as observer,
        ended_by_the_second(),
        stop_wish() as wish,
        wish.at_once(),
    ):
        work_on(job, observer)
