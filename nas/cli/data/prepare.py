"""``nas data prepare``: photos decoded once, for more of them than memory holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from nas.cli.bars import Throttle, bars, duration, time_left
from nas.cli.lines import one_line, say
from nas.cli.options import OUTPUT, Force, Lr, argument, option

if TYPE_CHECKING:
    from nas.data.prepare import Prepared

__all__ = ["prepare"]


def prepare(
    folder: Annotated[Path, argument("Folder of HR photos, of any number.", metavar="FOLDER")],
    output: Annotated[Path, option("Folder of what is prepared, for --data and --val.", *OUTPUT)],
    lr: Lr = None,
    scale: Annotated[
        list[int] | None,
        option("LR is prepared for it; repeatable, but with --lr. Default: 4."),
    ] = None,
    force: Force = False,
) -> None:
    """Decode photos once, so that more than memory holds can be trained on.

    Patches are then read from the disk, the same ones as from the photos. The same command again
    goes on where it was stopped. The photos themselves are not needed any more.
    """
    from nas.data import prepare as room

    say(one_line(f"Looking at the files in {folder}"))
    plan = room.plan(folder, output, lr=lr, scales=scale or [4])
    say(one_line(f"{plan.files:,} photos take up to {_size(plan.nbytes)} in {output}"))
    began = time.monotonic()
    with _bar() as show:
        done = room.prepare(plan, fresh=force, progress=show)
    for line in _lines(done, output, time.monotonic() - began):
        print(one_line(line))


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.progress import BarColumn, TextColumn

    columns = (
        TextColumn("Preparing"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} photos"),
        TextColumn("{task.fields[pace]}", style="cyan"),
    )
    began, throttle = time.monotonic(), Throttle()
    before: int | None = None
    with bars(*columns) as progress:
        task = progress.add_task("", total=0, visible=False, pace="")

        def show(done: int, of: int) -> None:
            nonlocal before
            # What an earlier call has done says nothing of the pace.
            before = done - 1 if before is None else before
            if not throttle.due(last=done == of):
                return
            new, seconds = done - before, time.monotonic() - began
            pace = f"{new / seconds * 60:,.0f} a minute  {time_left(new, of - done, seconds)}"
            progress.update(task, completed=done, total=of, pace=pace, visible=True)

        yield show


def _lines(done: Prepared, output: Path, seconds: float) -> Iterator[str]:
    new = done.photos - done.before
    already = f", {done.before:,} of them before" if done.before else ""
    pace = f" at {new / seconds * 60:,.0f} a minute" if new and seconds >= 1 else ""
    yield (
        f"{done.photos:,} photos, {_size(done.nbytes)} in {output}{already}; "
        f"{duration(seconds)}{pace}"
    )
    for reason, count in done.left_out.items():
        names = done.named.get(reason, ())
        more = ", ..." if count > len(names) else ""
        listed = f": {', '.join(names)}{more}" if names else ""
        yield f"Left out, {reason}: {count:,} file{'s' * (count != 1)}{listed}"
    yield f"Train on them with --data {output}"


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.1f} GB" if nbytes >= 1e8 else f"{nbytes / 1e6:.1f} MB"
