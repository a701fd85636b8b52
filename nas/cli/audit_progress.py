"""What an audit shows while it trains: a bar on a terminal, else a line a training."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from nas.audit.run import Progress

__all__ = ["AuditDisplay"]


class AuditDisplay:
    """Shows steps, their rate and the time left; to be used in a ``with`` block."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._began, self._first, self._shown = time.monotonic(), -1, 0.0
        self._done = -1

    def __enter__(self) -> AuditDisplay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def observe(self, progress: Progress) -> None:
        """Takes in how far the trainings are."""
        now = time.monotonic()
        if self._first < 0:
            self._first, self._began = progress.steps_done, now
            self._open(progress)
        if progress.done != self._done:
            self._done = progress.done
            if self._bar is None and progress.done:
                print(
                    f"{progress.done}/{progress.trainings} trainings  "
                    f"{self._rate(progress, now)}".rstrip(),
                    file=sys.stderr,
                    flush=True,
                )
        if self._bar is not None and (
            now - self._shown > 0.1 or progress.steps_done == progress.steps
        ):
            self._shown = now
            self._bar.update(
                self._task,
                completed=progress.steps_done,
                counts=f"{progress.done}/{progress.trainings}  trial {progress.network}, seed "
                f"{progress.seed}  {self._rate(progress, now)}",
            )

    def _open(self, progress: Progress) -> None:
        steps = progress.steps // max(1, progress.trainings)
        line = f"{progress.trainings} trainings of {steps} steps, {progress.done} of them done"
        if not sys.stderr.isatty():
            print(line, file=sys.stderr, flush=True)
            return
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        from nas.cli.console import PlainConsole

        console = PlainConsole(stderr=True)
        console.print(line, highlight=False)
        self._bar = Bar(
            TextColumn("audit"), BarColumn(bar_width=24), TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(), console=console,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task(
            "", total=progress.steps, completed=progress.steps_done, counts=""
        )

    def _rate(self, progress: Progress, now: float) -> str:
        done, seconds = progress.steps_done - self._first, now - self._began
        if done <= 0 or seconds <= 0:
            return ""
        rate = done / seconds
        left = (progress.steps - progress.steps_done) / rate
        shown = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
        if left >= 5400:
            shown = f"{left / 3600:.1f} h"
        return f"{rate:.1f} steps/s  about {shown} left"
