"""Many networks measured by commands, several devices of a kind at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from nas.latency.clock import best_ms
from nas.latency.command.clock import DeviceClock
from nas.latency.device import Device
from nas.latency.measure import Measured
from search_spaces import Architecture
from search_spaces.errors import NotPossible

__all__ = ["device_of", "measure_on_devices"]


def device_of(clock: DeviceClock, scale: int) -> Device:
    """What latencies hold for that a clock tells of networks of a scale."""
    command = clock.setup.commands[0]
    return Device(
        command.text, Device.BEHIND_COMMAND, "+".join(clock.setup.formats), "float32", None,
        clock.lr_size, scale, (),
    )  # fmt: skip


def measure_on_devices(architectures: Sequence[Architecture], clock: DeviceClock) -> list[Measured]:
    """Whole passes of networks, each beside the reference, as many at once as there are devices.

    A network that the devices cannot run, or that cannot be written for them, is left out, and
    whoever listens to the clock's pool is told.

    Raises:
        InputError: no device answers.
    """
    pool = clock.pool

    def one(arch: Architecture) -> Measured | None:
        try:
            own_ms, reference_ms = clock.times(arch)
        except NotPossible as error:
            pool.tell(f"{error}; it is left out")
            return None
        return Measured(arch.to_dict(), best_ms(own_ms), (), best_ms(reference_ms))

    if len(clock.setup.commands) == 1:
        return [found for found in map(one, architectures) if found is not None]
    with ThreadPoolExecutor(len(clock.setup.commands)) as threads:
        waiting = [threads.submit(one, arch) for arch in architectures]
        try:
            # Of whichever fails first, whatever the others are at.
            for task in wait(waiting, return_when=FIRST_EXCEPTION).done:
                task.result()
            return [found for task in waiting if (found := task.result()) is not None]
        except BaseException:
            # Ctrl-C, say: the others' calls end at once.
            pool.stop.set()
            threads.shutdown(wait=False, cancel_futures=True)
            raise
