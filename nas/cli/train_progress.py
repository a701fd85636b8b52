"""What a full training shows while it runs: a bar, plain lines, or JSON lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from nas.cli.bars import Throttle, duration, pace, steps_bars, time_left
from nas.cli.events import shown
from nas.cli.lines import one_line, say
from nas.training.events import (
    RolledBack,
    TrainingEnded,
    TrainingEvent,
    TrainingStarted,
    TrainingStep,
    Validated,
    Watcher,
)

__all__ = ["Bar", "make_watcher", "photos_line", "print_plain"]


def make_watcher(json_lines: bool) -> AbstractContextManager[Watcher]:
    """JSON lines where asked for, a live bar on a terminal, else plain lines."""
    return shown(json_lines, print_plain, Bar)


def print_plain(event: TrainingEvent) -> None:
    """A line at the start, after each validation and at the end, on standard error."""
    for line in lines(event):
        say(one_line(line))


def lines(event: TrainingEvent) -> list[str]:
    """What is worth a line of its own."""
    if isinstance(event, TrainingStarted):
        return _opening(event)
    if isinstance(event, Validated):
        return [f"step {event.step:>7}  {_psnrs(event)}  best {event.best_psnr_y_db:.3f} dB at "
                f"step {event.best_step}"]  # fmt: skip
    if isinstance(event, RolledBack):
        return [f"{event.reason}; back to step {event.step}, step size times {event.rate_factor:g}"]
    if isinstance(event, TrainingEnded):
        return [f"Trained {event.step} steps in {duration(event.seconds)}: best "
                f"{event.best_psnr_y_db:.3f} dB at step {event.best_step}"
                f"{_gains(event)}"]  # fmt: skip
    return []


def photos_line(name: str, train: int, baseline: str, psnr_y_db: Mapping[str, float]) -> str:
    """Which photos, and what bicubic upscaling, or the input, reaches on each validation set."""
    sets = ", ".join(f"{one} {db:.3f} dB" for one, db in psnr_y_db.items())
    return f"Photos: {name}, {train} to train; {baseline} on {sets}"


class Bar:
    """A bar with rate, time left and the best so far, on a terminal."""

    def __init__(self) -> None:
        self._progress = steps_bars()
        self._task: Any = None
        self._first = self._steps = 0
        self._throttle = Throttle()
        self._best = ""

    def observe(self, event: TrainingEvent) -> None:
        """Takes an event in."""
        for line in lines(event):
            self._progress.console.print(line, highlight=False)
        if isinstance(event, TrainingStarted):
            self._first, self._steps = event.step, event.steps
            self._task = self._progress.add_task(
                "training", total=event.steps, completed=event.step, facts="", left=""
            )
            self._progress.start()
        elif isinstance(event, Validated):
            self._best = f"  best {event.best_psnr_y_db:.3f} dB"
        elif isinstance(event, TrainingStep):
            self._step(event)

    def stop(self) -> None:
        """Leaves the terminal as it was."""
        self._progress.stop()

    def _step(self, event: TrainingStep) -> None:
        if not self._throttle.due(last=event.step >= self._steps):
            return
        done, left = event.step - self._first, self._steps - event.step
        self._progress.update(
            self._task, completed=event.step, description=f"phase {event.phase + 1}",
            facts=f"step {event.step}/{self._steps}  {pace(done, event.seconds)}  "
                  f"loss {event.loss:.4f}{self._best}",
            left=time_left(done, left, event.seconds),
        )  # fmt: skip


def _opening(event: TrainingStarted) -> list[str]:
    together = f", {event.processes} processes" if event.processes > 1 else ""
    return [
        f"Run {event.run}: {event.params:,} parameters, recipe {event.recipe}, {event.steps} steps "
        f"in {event.phases} phase{'s' if event.phases > 1 else ''}, on {event.device}{together}",
        photos_line(event.data, event.train_photos, event.baseline, event.bicubic_psnr_y_db),
        *([f"Going on after step {event.step}"] if event.step else []),
        *event.notes,
    ]


def _gains(event: TrainingEnded) -> str:
    named = {
        event.baseline: event.bicubic_psnr_y_db,
        "the search's short training": event.proxy_psnr_y_db,
    }
    gains = {one: event.best_psnr_y_db - db for one, db in named.items() if db is not None}
    return "".join(
        f", {abs(gain):.3f} dB {'above' if gain >= 0 else 'below'} {one}"
        for one, gain in gains.items()
        if math.isfinite(gain)
    )


def _psnrs(event: Validated) -> str:
    return "  ".join(f"{name} {psnr:.3f} dB" for name, psnr in event.psnr_y_db.items())
