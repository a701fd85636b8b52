"""The clock of a device that only a command reaches."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from nas.latency.clock import best_ms
from nas.latency.command.files import (
    NetworkFiles,
    file_values,
    reference_architecture,
    sized_file,
    write_files,
)
from nas.latency.command.kept import KeptTime, KeptTimes
from nas.latency.command.pool import Device, DevicePool, RunCommand
from nas.latency.command.process import CommandFailed, run_command
from nas.latency.command.setup import DeviceCommands
from nas.latency.command.turns import Turns
from nas.latency.drift import are_settled, drift_of, undrifted
from nas.latency.network_time import LatencyResult
from nas.training.state import seeded
from search_spaces import Architecture, Network, build
from search_spaces.errors import InputError, NotPossible

__all__ = ["ROUNDS", "RUNS", "DeviceClock", "DeviceTimes"]

ROUNDS = 3
"""Rounds, in each of which every network is asked for once."""

RUNS = 20
"""What {runs} stands for: passes that a call is to average over."""

_AGAIN, _LIMIT_S = 2, 30.0
"""Where rounds disagree there are so many times more, and none begins after so long."""

_NETWORK, _REFERENCE = "this network", "the reference"


@dataclass(frozen=True, slots=True)
class DeviceTimes:
    """What one device told of several networks in turns, milliseconds by their names."""

    command: str
    times_ms: Mapping[str, tuple[float, ...]]


class DeviceClock:
    """Times networks on the devices of some commands.

    Args:
        setup: the commands.
        lr_size: (height, width) of the input.
        kept: where results are kept, if they are.
        run: runs a command, for tests.

    Raises:
        InputError: a program that is not here.
    """

    def __init__(
        self,
        setup: DeviceCommands,
        lr_size: tuple[int, int],
        *,
        kept: KeptTimes | None = None,
        run: RunCommand = run_command,
    ) -> None:
        setup.check_programs()
        self.setup, self.lr_size, self.pool = setup, lr_size, DevicePool(setup, run)
        self._kept = kept
        # Networks are built and written by one thread at a time.
        self._writing = threading.Lock()
        self._quiet_ms: dict[tuple[str, str], float] = {}
        # Nobody else's text is read into a message where the folder cannot be removed.
        self._folder = tempfile.TemporaryDirectory(prefix="nas-device-", ignore_cleanup_errors=True)
        weakref.finalize(self, self._folder.cleanup)
        for one in kept.all() if kept else ():
            if one.found.lr_size == lr_size:
                self._learn(one)

    def measure(self, network: Network) -> LatencyResult:
        """A network's time, which is kept; the device is asked only where it has not told yet.

        See `nas.latency.drift` for what is made of the rounds. The reference network is of the
        same scale and colours.

        Raises:
            NotPossible: it cannot be written as the command wants it, or the device fails at it
                again and again, but not at the reference network.
            InputError: no device answers.
        """
        name = network.architecture.hash
        for command in self.setup.commands if self._kept else ():
            assert self._kept is not None
            if (known := self._kept.get(name, self.lr_size, command)) is not None:
                return known
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            with self._writing:
                files = write_files(network, self.setup.formats, Path(folder), self.lr_size)
            one = self._judged(self._beside_reference(files, network.architecture))
        if self._kept is not None:
            (command,) = (c for c in self.setup.commands if c.text == one.found.device)
            self._kept.put(name, command, one)
        return one.found

    def times(self, architecture: Architecture) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """What a device told of a network and of the reference, milliseconds as they came.

        Raises:
            NotPossible: as `measure`.
            InputError: as `measure`.
        """
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            with self._writing:
                network = seeded(partial(build, architecture), 0).eval()
                files = write_files(network, self.setup.formats, Path(folder), self.lr_size)
            told, _ = self._beside_reference(files, architecture)
        return told.times_ms[_NETWORK], told.times_ms[_REFERENCE]

    def measure_file(self, path: Path, like: Architecture) -> LatencyResult:
        """The same for a network's file that lies there, in the one format that the command takes.

        Args:
            path: of the file.
            like: of whose scale and colours it is.

        Raises:
            InputError: the command takes files of another format; as `measure`.
        """
        return self._judged(self._beside_reference(self.files_of(path), like)).found

    def takes(self, path: Path) -> bool:
        """Whether the command takes files of this ending, and no others beside."""
        # A network in int8 may have a further word before its ending.
        return {Path(f"x{ending}").suffix for ending in self._endings} == {path.suffix.lower()}

    @property
    def _endings(self) -> set[str]:
        return {place.ending for place in self.setup.commands[0].files.values()}

    def files_of(self, path: Path) -> NetworkFiles:
        """A file as what the command takes.

        It is given as it lies there, or, of a format that can, for the size that is measured alone.

        Raises:
            InputError: it takes others, or the file cannot be read.
        """
        wanted = self._endings
        if not self.takes(path):
            raise InputError(
                f"{path}: the command takes networks as {' and '.join(sorted(wanted))}; give "
                f"another command, or a network that can be written so"
            )
        return dict.fromkeys(wanted, sized_file(path, Path(self._folder.name), self.lr_size))

    def write(self, network: Network) -> NetworkFiles:
        """A network's files as the command takes them, kept as long as this clock.

        Raises:
            NotPossible: it cannot be written so.
            InputError: what a format needs is not installed.
        """
        return write_files(network, self.setup.formats, Path(self._folder.name), self.lr_size)

    def in_turns(
        self, entrants: Mapping[str, NetworkFiles], *, rounds: int = ROUNDS, reference: str = ""
    ) -> DeviceTimes:
        """Times of files in turns on one device, the last ones those of the reference.

        What the reference of this name has taken before is what it can take.

        Rounds are added where the best ones disagree by more than 1% or the reference drifts. A
        device that fails is tried again, or another one takes over; what it has told is kept.

        Raises:
            NotPossible: the device fails at one again and again, but not at others.
            InputError: no device answers.
        """
        turns: dict[Device, Turns] = {}
        while True:
            with self.pool.taken() as device:
                of_device = turns.setdefault(device, Turns(tuple(entrants)))
                if self._has_told(device, of_device, entrants, rounds, reference):
                    return DeviceTimes(
                        device.command.text,
                        {name: tuple(times) for name, times in of_device.times_ms.items()},
                    )

    def _has_told(
        self,
        device: Device,
        turns: Turns,
        entrants: Mapping[str, NetworkFiles],
        rounds: int,
        reference: str,
    ) -> bool:
        """Asks until all is told; false where the device fails before."""
        height, width = self.lr_size
        numbers = {"height": height, "width": width, "runs": RUNS}
        while not self._is_enough(device, turns, rounds, reference):
            name = turns.next()
            values = numbers | file_values(device.command.files, entrants[name])
            try:
                turns.told(name, self.pool.ask(device, values))
            except CommandFailed as error:
                if turns.failed(name):
                    raise NotPossible(
                        f"{device.command.text!r} fails at {name} again and again, and not at "
                        f"others: {error}"
                    ) from None
                return False
        return True

    def _is_enough(self, device: Device, turns: Turns, rounds: int, reference: str) -> bool:
        if turns.rounds < rounds:
            return False
        if turns.rounds >= rounds * (1 + _AGAIN) or time.monotonic() - turns.began > _LIMIT_S:
            return True
        *own_ms, reference_ms = turns.times_ms.values()
        quiet_ms = self._quiet_ms.get((device.command.text, reference))
        return are_settled(own_ms, reference_ms, quiet_ms)

    def _beside_reference(self, files: NetworkFiles, like: Architecture) -> tuple[DeviceTimes, str]:
        """What was told, and the hash of the reference of the same scale and colours."""
        architecture = reference_architecture(like.scale, like.colors)
        with self._writing:
            reference = self.write(seeded(partial(build, architecture), 0).eval())
        entrants = {_NETWORK: files, _REFERENCE: reference}
        return self.in_turns(entrants, reference=architecture.hash), architecture.hash

    def _judged(self, of: tuple[DeviceTimes, str]) -> KeptTime:
        told, reference = of
        own_ms, reference_ms = told.times_ms[_NETWORK], told.times_ms[_REFERENCE]
        quiet_ms = self._quiet_ms.get((told.command, reference))
        judged = undrifted(own_ms, drift_of(reference_ms, quiet_ms))
        found = LatencyResult(
            latency_ms=judged.latency_ms,
            latency_min_ms=judged.latency_min_ms,
            median_ms=statistics.median(own_ms),
            reference_ms=best_ms(reference_ms),
            drift=judged.drift,
            repeats=len(own_ms),
            lr_size=self.lr_size,
            device=told.command,
            threads=None,
            dtype="float32",
        )
        one = KeptTime(found, reference)
        self._learn(one)
        return one

    def _learn(self, one: KeptTime) -> None:
        key = one.found.device, one.reference
        self._quiet_ms[key] = min(self._quiet_ms.get(key, inf), one.found.reference_ms)
        if one.found.device in {command.text for command in self.setup.commands}:
            self.pool.answered = True
