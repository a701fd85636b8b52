"""A device in this very process: what it tells follows from a network's config, faults are told."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from nas.latency.command.process import CommandFailed, Printed
from nas.latency.command.setup import DeviceCommands
from search_spaces import Architecture, price

__all__ = ["COMMAND", "MadeUpDevice", "cost_ms", "made_up_setup"]

COMMAND = "sh bench {yaml} {height} {width}"


def made_up_setup(*more: str) -> DeviceCommands:
    """One device, or several with these words behind the command."""
    return DeviceCommands.of([f"{COMMAND} {word}".rstrip() for word in more or ("",)])


def cost_ms(arch: Architecture, lr_size: tuple[int, int]) -> float:
    """3 ms, and 1e-9 ms for each multiply-add."""
    return 3 + 1e-9 * price(arch, lr=lr_size).macs


class MadeUpDevice:
    """Runs commands of `made_up_setup`.

    Args:
        faults: of the calls in their order: ``"dies"``, ``"nonsense"``, or anything else for none.

    Attributes:
        asked: hashes of networks, in the order in which they were asked for.
        words: of the last call.
        slow: it takes so many times as long as it can.
        at_once, most_at_once: calls under way, and the most that there were.
        refuses: the hash of a network at which it fails.
    """

    def __init__(self, faults: Iterable[str] = ()) -> None:
        self.faults = list(faults)
        self.asked: list[str] = []
        self.words: list[str] = []
        self.slow, self.refuses = 1.0, ""
        self.at_once = self.most_at_once = 0
        self._turn = threading.Lock()

    def __call__(self, words: Sequence[str], limit_s: float, stop: threading.Event) -> Printed:
        """As `nas.latency.command.process.run_command`."""
        with self._turn:
            self.words = list(words)
            arch = Architecture.load(words[2])
            self.asked.append(arch.hash)
            fault = self.faults.pop(0) if self.faults else ""
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        stop.wait(0.002)
        with self._turn:
            self.at_once -= 1
        if fault == "dies" or arch.hash == self.refuses:
            raise CommandFailed("ended with code 255: no route to host")
        told_ms = cost_ms(arch, (int(words[3]), int(words[4]))) * self.slow
        return Printed("gibberish" if fault == "nonsense" else f"{told_ms:.9g}", "")
