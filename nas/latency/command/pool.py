"""Devices of one kind, each behind its command: one call at a time, tried again where it fails."""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from nas.latency.command.answer import NoTime
from nas.latency.command.process import CommandFailed, Printed, run_command
from nas.latency.command.setup import DeviceCommands
from nas.latency.command.template import CommandTemplate
from nas.quiet import alone_with
from search_spaces.errors import InputError

__all__ = ["Device", "DevicePool", "RunCommand", "say_away"]

RunCommand = Callable[[Sequence[str], float, threading.Event], Printed]
"""As `run_command`."""

_FIRST_WAIT_S, _MOST_WAIT_S = 1.0, 60.0
"""Each wait after a failure is twice the one before."""

_TRIES = 3
"""A command that has never answered is given up after so many; most are mistyped."""

_PATIENCE_S = 3600.0
"""And devices that have answered, where none does for so long."""

_LOOK_S, _QUIETLY_S = 0.2, 30.0
"""Somebody else's call is waited for; after so long, that is said once."""


def say_away(line: str) -> None:
    """What became of a device, as everybody is told who doesn't ask for anything else."""
    print(f"nas: {line}", file=sys.stderr, flush=True)


@dataclass(slots=True, eq=False)
class Device:
    """One device, as this process knows it.

    Attributes:
        command: that asks it.
        failures: in a row.
        free_at: it is left alone until then, by the monotonic clock.
    """

    command: CommandTemplate
    failures: int = 0
    free_at: float = 0.0

    @property
    def lock(self) -> str:
        """The name by which processes and threads of this machine share it."""
        return hashlib.sha256(self.command.text.encode()).hexdigest()[:16]


class DevicePool:
    """Devices that share the work, of all threads and processes of a user on this machine.

    Args:
        setup: their commands.
        run: runs one, for tests.

    Attributes:
        tell: called with a line where a device fails.
        answered: whether any of them has ever answered: then they are worth waiting for.
        stop: set where nothing is wanted of them any more.
    """

    def __init__(self, setup: DeviceCommands, run: RunCommand = run_command) -> None:
        self.tell: Callable[[str], None] = say_away
        self.setup, self.answered = setup, False
        self.stop = threading.Event()
        self._run = run
        self._devices = [Device(command) for command in setup.commands]
        # Since when none has answered: trainings between two calls are no outage.
        self._away_since: float | None = None
        self._told_waiting = False

    @contextmanager
    def taken(self) -> Iterator[Device]:
        """A device for this thread alone; waits for one.

        Raises:
            CommandFailed: nothing is wanted of any, any more.
        """
        began = time.monotonic()
        while not self.stop.is_set():
            free = False
            for device in sorted(self._devices, key=lambda one: one.free_at):
                if device.free_at <= time.monotonic():
                    free = True
                    with alone_with(device.lock) as held:
                        if held:
                            yield device
                            return
            if free and time.monotonic() - began > _QUIETLY_S and not self._told_waiting:
                self._told_waiting = True
                self.tell("waits for others of your runs that ask the same device")
            self.stop.wait(_LOOK_S)
        raise CommandFailed("is no longer needed")

    def ask(self, device: Device, values: Mapping[str, object]) -> float:
        """The milliseconds that a device, which is taken, tells of one network.

        Raises:
            CommandFailed: it told none; whoever listens knows why, and it is left alone for a
                while.
            InputError: that is not worth another try.
        """
        limit_s = self.setup.limit_s
        try:
            printed = self._run(device.command.filled(values), limit_s, self.stop)
            time_ms = self.setup.milliseconds(printed)
        except (CommandFailed, NoTime) as error:
            if not self.stop.is_set():
                self._failed(device, str(error))
            raise CommandFailed(str(error)) from None
        device.failures, self.answered, self._away_since = 0, True, None
        return time_ms

    def _failed(self, device: Device, reason: str) -> None:
        device.failures += 1
        where = f"--latency-command {device.command.text!r}"
        if not self.answered and all(one.failures >= _TRIES for one in self._devices):
            raise InputError(f"{where}: no answer in {_TRIES} tries: {reason}")
        self._away_since = self._away_since or time.monotonic()
        away_s = time.monotonic() - self._away_since
        if away_s > _PATIENCE_S:
            raise InputError(
                f"{where}: no answer for {away_s / 60:.0f} minutes: {reason}; what was measured is "
                f"kept, and the same command goes on"
            )
        wait_s = min(_FIRST_WAIT_S * 2 ** min(device.failures - 1, 30), _MOST_WAIT_S)
        device.free_at = time.monotonic() + wait_s
        self.tell(f"{device.command.text!r} {reason}; tried again in {wait_s:g} s")
