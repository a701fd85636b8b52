"""``nas audit``: how far a run's short trainings can be trusted."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.console import PlainConsole
from nas.cli.options import Device, Storage, argument, option

if TYPE_CHECKING:
    from nas.audit.run import Audited
    from nas.run import Run

__all__ = ["audit"]


def audit(
    run: Annotated[Path, argument("The run folder, of a finished or stopped search.")],
    networks: Annotated[
        int, option("Networks to train again, spread over prices and ranks; at least 3.")
    ] = 12,
    factor: Annotated[float, option("How many times longer than the search trained them.")] = 5.0,
    seeds: Annotated[int, option("Trainings of each network; a second seed tells the noise.")] = 2,
    data: Annotated[Path | None, option("The run's training photos, if they have moved.")] = None,
    lr: Annotated[Path | None, option("Their LR images, if they have moved.", "--lr")] = None,
    val: Annotated[Path | None, option("The run's validation photos, if they have moved.")] = None,
    val_lr: Annotated[Path | None, option("Their LR images, if they have moved.")] = None,
    storage: Storage = None,
    device: Device = None,
) -> None:
    """Train some of a run's networks longer and with another seed, and compare the rankings.

    They are compared at equal price. What a seed does to a network is measured on the way, and
    the search that goes on with the run takes it for its own.

    Results stay in RUN/audit as they come: the same command again goes on with an audit that
    was stopped, more --networks or a larger --factor add to it, and several processes at once
    share the work.
    """
    from nas.audit.run import audit as audit_run
    from nas.audit.settings import AuditSettings
    from nas.cli.audit_progress import AuditDisplay
    from nas.data.places import PhotoPlaces
    from nas.run import open_run
    from nas.store.study import quietly

    moved = PhotoPlaces.of(data, val, lr, val_lr)
    settings = AuditSettings(networks, factor, seeds, moved, device)
    opened = open_run(run, storage=storage)
    quietly()
    with closing(AuditDisplay()) as display:
        found = audit_run(opened, settings, display.observe)
    _write(opened, found)
    _print(opened, found, factor)


def _write(run: Run, found: Audited) -> None:
    import pandas as pd

    from nas.audit.verdict import write_verdict
    from nas.cli.audit_table import signal_rows
    from reports.plots.audit import audit_info
    from reports.plots.audit_figure import save_audit
    from search_spaces.files import atomic_path

    folder = run.folder / "audit"
    for name, frame in (
        ("trainings.csv", found.curves),
        ("signals.csv", pd.DataFrame(signal_rows(found.trust))),
    ):
        with atomic_path(folder / name) as temporary:
            frame.to_csv(temporary, index=False)
    write_verdict(folder, found.trust, found.trials)
    save_audit(audit_info(found.trust, f"Audit of {run.folder.resolve().name}"), folder / "audit")


def _print(run: Run, found: Audited, factor: float) -> None:
    from nas.audit.finding import findings
    from nas.cli.audit_table import signal_table

    console = PlainConsole(highlight=False)
    trust = found.trust
    console.print(signal_table(trust))
    for line in findings(trust):
        console.print(line)
    for line in _notes(found, factor):
        console.print(line, style="dim")
    console.print(f"Picture {run.folder / 'audit' / 'audit.png'}", soft_wrap=True)


def _notes(found: Audited, factor: float) -> list[str]:
    trust, notes = found.trust, []
    if trust.long_step > max(round(factor * trust.proxy_step), trust.proxy_step + 1):
        notes.append(
            f"An earlier audit trained for {trust.long_step} steps; a smaller factor adds nothing."
        )
    if len(found.trials) < found.asked:
        notes.append(f"The run has {len(found.trials)} networks; {found.asked} were asked for.")
    if found.elsewhere:
        notes.append(
            f"{found.elsewhere} trainings are under way in another process; whichever ends last "
            f"tells of all, or run the same command again."
        )
    broken = sum(value != value for value in trust.long_db)
    if broken:
        notes.append(f"{broken} diverged in the long training and count as worst.")
    if found.noise is not None:
        notes.append(
            f"From now on this run takes {found.noise.psnr_db:.3f} dB for the noise of one "
            f"network's seed, as measured here."
        )
    if trust.repeat_db > 0.001:
        notes.append(
            f"Trained again from the same seed, a network came out up to {trust.repeat_db:.3f} dB "
            f"apart from the search: another machine or version."
        )
    return notes
