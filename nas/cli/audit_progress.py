"""What an audit shows while it trains: a bar on a terminal, else a line a training."""

from __future__ import annotations

import sys
import time
from typing import Any

from nas.audit.run import Progress
from nas.cli.bars import Throttle, pace, steps_bars, time_left
from nas.cli.lines import say

__all__ = ["AuditDisplay"]


class AuditDisplay:
    """Shows steps, their rate and the time left, until it is closed."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._began, self._first, self._throttle = time.monotonic(), -1, Throttle()
        self._done = -1

    def observe(self, progress: Progress) -> None:
        """Takes in how far the trainings are."""
        now = time.monotonic()
        if self._first < 0:
            self._first, self._began = progress.steps_done, now
            self._open(progress)
        if progress.done != self._done:
            self._done = progress.done
            if self._bar is None and progress.done:
                done = f"{progress.done}/{progress.trainings} trainings"
                say(f"{done}  {self._rate(progress, now)}".rstrip())
        if self._bar is not None and self._throttle.due(last=progress.steps_done == progress.steps):
            self._bar.update(
                self._task,
                completed=progress.steps_done,
                facts=f"{progress.done}/{progress.trainings}  trial {progress.network}, seed "
                f"{progress.seed}  {self._rate(progress, now)}",
            )

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def _open(self, progress: Progress) -> None:
        steps = progress.steps // max(1, progress.trainings)
        line = f"{progress.trainings} trainings of {steps} steps, {progress.done} of them done"
        if not sys.stderr.isatty():
            say(line)
            return
        self._bar = steps_bars()
        self._bar.console.print(line, highlight=False)
        self._bar.start()
        self._task = self._bar.add_task(
            "audit", total=progress.steps, completed=progress.steps_done, facts="", left=""
        )

    def _rate(self, progress: Progress, now: float) -> str:
        done, seconds = progress.steps_done - self._first, now - self._began
        if done <= 0 or seconds <= 0:
            return ""
        left = time_left(done, progress.steps - progress.steps_done, seconds)
        return f"{pace(done, seconds)}  {left}"
