"""A network that ``nas latency`` measures, by what it was named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.deploy.formats import FORMATS
from nas.deploy.runtimes import RUNTIMES, known_runtime, runtime_of
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.latency.command.clock import DeviceClock
    from nas.latency.command.files import NetworkFiles

__all__ = ["Entrant"]


@dataclass(frozen=True)
class Entrant:
    """A network to measure: one of ours, or an exported file as it lies there, in its own format.

    A file runs in the runtime that is asked for where that reads it, else in its own; one for
    images of one size has it as ``lr_size``.
    """

    name: str
    runtime: str
    network: Any
    architecture: Any
    colors: int
    number_format: str = ""
    lr_size: tuple[int, int] | None = None

    @classmethod
    def of(cls, name: str, scale: int, runtime: str) -> Entrant:
        """The network of a name, to be run in a runtime."""
        known_runtime(runtime)
        if (own := runtime_of(name)) is not None:
            from nas.upscale.runtime_network import RuntimeNetwork

            reads = FORMATS[RUNTIMES[own].file_format]
            if runtime in RUNTIMES and RUNTIMES[runtime].ending == RUNTIMES[own].ending:
                own = runtime
            file = RuntimeNetwork.of_file(name, runtime=own, threads=1)
            form = reads.number_format(Path(name))
            return cls(name, own, None, file.architecture, file.colors, form, file.lr_size)
        from nas.networks import any_network

        network = any_network(name, scale)
        return cls(name, runtime, network, network.architecture, network.architecture.colors)

    def runner(self, lr_size: tuple[int, int], *, device: str, dtype: str) -> Callable[[], object]:
        """Runs it once on this machine."""
        from nas.latency.runtime import file_runner, runner

        if self.network is not None:
            return runner(self.network, lr_size, runtime=self.runtime, device=device, dtype=dtype)
        if device != "cpu":
            raise InputError(
                f"{self.name}: an exported file is measured on the CPU, not on {device}"
            )
        return file_runner(Path(self.name), self.colors, lr_size, self.runtime)

    def files(self, clock: DeviceClock) -> NetworkFiles:
        """It as a device takes it."""
        if self.network is None:
            return clock.files_of(Path(self.name))
        files: NetworkFiles = clock.write(self.network)
        return files

    def facts(self, lr_size: tuple[int, int]) -> dict[str, Any]:
        """What is known of it; a file of another maker says nothing."""
        from search_spaces import price

        arch = self.architecture
        if arch is None:
            return dict.fromkeys(("hash", "scale", "params", "macs"))
        cost = price(arch, lr=lr_size)
        return {"hash": arch.hash, "scale": arch.scale, "params": cost.params, "macs": cost.macs}
