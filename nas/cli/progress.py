"""What a search shows while it runs: a display, plain lines, or JSON lines."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from typing import Any

from nas.cli.bars import Throttle, pace, steps_bars, time_left
from nas.cli.events import shown
from nas.cli.lines import one_line, say
from nas.explore.events import (
    DeviceAway,
    Event,
    MachineBusy,
    NetworksMeasured,
    Observer,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    TrialMeasuring,
    TrialRejected,
    TrialStarted,
    WorkerLost,
)
from nas.objectives import OBJECTIVES
from nas.records import FINISHED, STOPPED, TrialRecord

__all__ = ["Display", "PlainLines", "make_observer"]

_PATIENCE_S = 2.0
_LINES_S = 5.0
"""Measuring that takes longer than the former is told of, in plain lines as often as the latter."""


def make_observer(json_lines: bool) -> AbstractContextManager[Observer]:
    """JSON lines where asked for, a live display on a terminal, else plain lines."""
    return shown(json_lines, PlainLines(), Display)


class PlainLines:
    """A line at the start, after each trial and at the end, and while networks are measured."""

    def __init__(self) -> None:
        self._due = math.inf

    def __call__(self, event: Event) -> None:
        """Takes an event in, and says on standard error what is to be said."""
        line: str | None = None
        if isinstance(event, NetworksMeasured):
            line = self._measured(event)
        elif isinstance(event, MachineBusy):
            line = _busy(event)
        elif isinstance(event, DeviceAway):
            line = one_line(event.line)
        elif isinstance(event, SearchStarted):
            line = "\n".join(map(one_line, _opening(event)))
        elif isinstance(event, TrialMeasuring):
            if not event.over:
                self._due = time.monotonic() + _PATIENCE_S
            elif self._is_due():
                line = f"measuring networks: {_over(event)}"
        elif isinstance(event, TrialEnded):
            line = f"{event.trained}/{event.goal}  {_outcome(event.record)}  {_standing(event)}"
        elif isinstance(event, WorkerLost):
            line = _loss(event)
        elif isinstance(event, SearchEnded):
            line = f"Stopped after {event.trained} of {event.goal} networks: {event.reason}"
        if line is not None:
            say(line)

    def _measured(self, event: NetworksMeasured) -> str | None:
        if event.done == 0:
            self._due = time.monotonic() + _LINES_S
            return _measuring(event)
        return f"measured {event.done} of {event.networks}" if self._is_due() else None

    def _is_due(self) -> bool:
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + _LINES_S
        return True


class Display:
    """One live progress display on a terminal, with a line for each network in training."""

    def __init__(self) -> None:
        self._progress = steps_bars()
        self.console = self._progress.console
        self._search: Any = None
        self._lines: dict[int, Any] = {}
        self._free: list[Any] = []
        self._shown: dict[int, Throttle] = {}
        self._began = time.monotonic()
        self._first = 0
        self._steps = 1
        self._rungs: tuple[int, ...] = ()

    def observe(self, event: Event) -> None:
        """Takes an event in."""
        if isinstance(event, NetworksMeasured):
            self._measure(event)
        elif isinstance(event, MachineBusy):
            self.console.print(_busy(event), highlight=False)
        elif isinstance(event, DeviceAway):
            self.console.print(event.line, highlight=False, soft_wrap=True)
        elif isinstance(event, SearchStarted):
            for line in _opening(event):
                self.console.print(line, highlight=False)
            self._first, self._began, self._steps = event.trained, time.monotonic(), event.steps
            self._rungs = event.rungs
            self._progress.start()
            self._search = self._progress.add_task(
                "networks", total=event.goal, completed=event.trained,
                facts=f"{event.trained}/{event.goal}", left="",
            )  # fmt: skip
        elif isinstance(event, TrialMeasuring):
            self._progress.reset(
                self._line(event.number), description=f"measuring trial {event.number}",
                facts=_over(event) if event.over else "", left="", visible=True,
            )  # fmt: skip
        elif isinstance(event, TrialRejected):
            self._free_line(event.record.number)
        elif isinstance(event, TrialStarted):
            # All fields: a reset forgets those that it is not given.
            self._progress.reset(
                self._line(event.record.number),
                description=self._title(event.record.number, event.until),
                facts=_cost(event.record), left="", visible=True,
            )  # fmt: skip
        elif isinstance(event, TrainingStep):
            self._step(event)
        elif isinstance(event, WorkerLost):
            self.console.print(_loss(event), highlight=False)
            # Nobody knows which network it had; those that go on say so at their next step.
            for number in list(self._lines):
                self._free_line(number)
        elif isinstance(event, TrialEnded):
            self._free_line(event.record.number)
            self._progress.console.print(_outcome(event.record), highlight=False)
            self._progress.update(
                self._search, completed=event.trained,
                facts=f"{event.trained}/{event.goal}  {_standing(event)}",
                left=self._left(event),
            )  # fmt: skip
        elif isinstance(event, SearchEnded):
            self.stop()

    def stop(self) -> None:
        """Leaves the terminal as it was."""
        self._progress.stop()

    def _measure(self, event: NetworksMeasured) -> None:
        if self._search is None:
            self._progress.start()
            self._search = self._progress.add_task("", total=event.networks, facts="", left="")
        self._progress.update(
            self._search, description=_measuring(event), completed=event.done,
            facts=f"{event.done}/{event.networks}",
        )  # fmt: skip
        if event.done == event.networks:
            self._progress.remove_task(self._search)
            self._search = None

    def _line(self, number: int) -> Any:
        """The line of a trial; those of trials that are over are used again."""
        if number not in self._lines:
            self._lines[number] = (
                self._free.pop()
                if self._free
                else self._progress.add_task("", total=self._steps, facts="", left="")
            )
        return self._lines[number]

    def _free_line(self, number: int) -> None:
        self._shown.pop(number, None)
        line = self._lines.pop(number, None)
        if line is not None:
            self._progress.update(line, visible=False)
            self._free.append(line)

    def _step(self, event: TrainingStep) -> None:
        shown = self._shown.setdefault(event.number, Throttle())
        if not shown.due(last=event.step >= event.steps):
            return
        self._progress.update(
            self._line(event.number), completed=event.step, total=event.steps, visible=True,
            description=self._title(event.number, event.steps),
            facts=f"step {event.step}/{event.steps}  {pace(event.step, event.seconds)}  "
                  f"loss {event.loss:.4f}",
        )  # fmt: skip

    def _title(self, number: int, until: int) -> str:
        if len(self._rungs) < 2:
            return f"trial {number}"
        rung = sum(step <= until for step in self._rungs)
        return f"trial {number}, rung {rung}/{len(self._rungs)}"

    def _left(self, event: TrialEnded) -> str:
        done = event.trained - self._first
        if done <= 0:
            return ""
        if event.trained >= event.goal:
            return "finishing the best" if event.stopped else ""
        return time_left(done, event.goal - event.trained, time.monotonic() - self._began)


def _measuring(event: NetworksMeasured) -> str:
    return f"measuring {event.networks} networks"


def _over(event: TrialMeasuring) -> str:
    if event.over == 1:
        return "the last one took more than a budget"
    return f"the last {event.over} took more than a budget"


def _busy(event: MachineBusy) -> str:
    return (
        f"this machine is busy: networks take {event.times:.1f} times as long as they would by "
        f"themselves, which is what counts as their latency"
    )


def _opening(event: SearchStarted) -> list[str]:
    early = ", ".join(str(step) for step in event.rungs[:-1])
    lines = [
        f"Run {event.run}: {event.goal} networks, {event.steps} training steps each, "
        f"on {event.device}",
        *([f"Early stopping: only the best go on after {early} steps"] if early else []),
        f"Photos: {event.data}, {event.train_photos} to train, {event.validation_photos} to "
        f"validate; {event.baseline} {event.bicubic_psnr_y_db:.3f} dB",
    ]
    if event.latency:
        lines.append(f"Latency: {event.latency}")
    if event.trained:
        lines.append(f"Going on: {event.trained} networks are trained already")
    if event.skipped:
        skipped = ", ".join(f"{count} {reason}" for reason, count in event.skipped.items())
        lines.append(f"Image files left out: {skipped}")
    return lines + [f"Note: {note}" for note in event.notes]


def _loss(event: WorkerLost) -> str:
    then = "another takes its place" if event.replaced else "it is not replaced"
    return f"worker {event.worker} died: {event.reason}; {then}, its network is taken up again"


def _cost(record: TrialRecord) -> str:
    parts = [(OBJECTIVES[name], getattr(record, OBJECTIVES[name].attribute)) for name in
             ("params", "macs", "latency", "esr_score")]  # fmt: skip
    told = [(one, one.text(value)) for one, value in parts if value is not None]
    return ", ".join(text if one.unit else one.named(text) for one, text in told)


def _outcome(record: TrialRecord) -> str:
    name = f"trial {record.number:>3}" + (f" ({record.preset})" if record.preset else "")
    if record.state == FINISHED:
        return f"{name}  {record.psnr_y_db:.3f} dB  {_cost(record)}"
    if record.state == STOPPED and record.last_rung is not None:
        return f"{name}  {record.last_rung.psnr_y_db:.3f} dB  {_cost(record)}  {record.reason}"
    return f"{name}  {record.state}: {record.reason}"


def _standing(event: TrialEnded) -> str:
    stopped = f", {event.stopped} stopped" if event.stopped else ""
    if event.best is None or event.best.psnr_y_db is None:
        return f"no network finished yet{stopped}"
    return f"best {event.best.psnr_y_db:.3f} dB, front of {event.front_size}{stopped}"
