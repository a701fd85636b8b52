"""Latencies of ``nas latency`` that a device's command tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.cli.latency_entrant import Entrant
    from nas.latency.clock import Laps
    from nas.latency.command.setup import DeviceCommands

__all__ = ["check_none", "times_by_command"]


def check_none(given: Mapping[str, bool]) -> None:
    """Makes sure that nothing is asked for that this machine alone could do.

    Args:
        given: whether each option is.

    Raises:
        InputError: one is.
    """
    for option, whether in given.items():
        if whether:
            raise InputError(
                f"{option}: is of a measurement on this machine; of a device, --latency-command "
                f"says all: leave {option} out"
            )


def times_by_command(
    nets: Mapping[str, Entrant], setup: DeviceCommands, lr_size: tuple[int, int], rounds: int
) -> tuple[str, dict[str, Laps]]:
    """Times of networks in turns, the last one the reference; and the command that told them.

    Raises:
        InputError: no device answers, or a network cannot be written as it takes them.
    """
    from nas.latency.clock import Laps
    from nas.latency.command.clock import DeviceClock

    clock = DeviceClock(setup, lr_size)
    told = clock.in_turns({name: net.files(clock) for name, net in nets.items()}, rounds=rounds)
    return told.command, {name: Laps(times, times) for name, times in told.times_ms.items()}
