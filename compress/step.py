"""One step of a pipeline: what a network is worth, whether it is what it says, and is it better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from compress.finetune import copied
from nas.data import Dataset
from nas.evaluate.environment import environment
from nas.evaluate.memory import peak_memory_mb
from nas.evaluate.validate import validate
from nas.latency.network_time import measure_latency
from nas.records import FINISHED, TrialRecord
from search_spaces.architecture import Architecture
from search_spaces.cost import lr_size as lr_size_of
from search_spaces.cost import price
from search_spaces.network import Network, mispriced

__all__ = ["Judge", "flaw"]

_CHECKED_SIZES = ((24, 24), (13, 7))
_REPEATS, _WARMUP = 7, 2


@dataclass(frozen=True, slots=True)
class Judge:
    """Measures every network of a pipeline in the same way.

    Attributes:
        dataset: its validation photos are measured on.
        device: to measure on.
        hr: (height, width) of the output that multi-adds and activations are counted for.
        lr_size: (height, width) of the input that latency is measured at.
        trial: number of the trial that the network came from.
        foretold_ms: says latencies, in ms, instead of measurements here: those of a search that
            asks a model of another device.
    """

    dataset: Dataset
    device: str = "cpu"
    hr: tuple[int, int] = (720, 1280)
    lr_size: tuple[int, int] = (90, 160)
    trial: int = 0
    foretold_ms: Callable[[Architecture], float] | None = None

    def record(self, network: Network, name: str) -> TrialRecord:
        """All figures of the network after the step of that name."""
        arch = network.architecture
        cost = price(arch, self.hr)
        median_ms, minimum_ms, measured_with = self._latency(network)
        quality = validate(
            copied(network).to(self.device),
            self.dataset.validation,
            arch.scale,
            colors=arch.colors,
        )
        return TrialRecord(
            self.trial,
            FINISHED,
            source=f"compressed:{name}",
            architecture=arch.to_dict(),
            architecture_hash=arch.hash,
            params=cost.params,
            macs=cost.macs,
            activations=cost.activations,
            memory_mb=round(peak_memory_mb(arch, lr_size_of(arch.scale, self.hr)), 3),
            latency_ms=median_ms,
            latency_min_ms=minimum_ms,
            psnr_y_db=quality.psnr_y_db,
            ssim_y=quality.ssim_y,
            made_with={
                "data": self.dataset.name,
                "data_fingerprint": self.dataset.fingerprint,
                "latency": measured_with,
                "environment": environment().to_dict(),
            },
        )

    def _latency(self, network: Network) -> tuple[float, float | None, dict[str, Any]]:
        """Median and minimum in ms, and how they were found out."""
        if self.foretold_ms is not None:
            return self.foretold_ms(network.architecture), None, {"lr_size": list(self.lr_size)}
        found = measure_latency(
            [network], lr_size=self.lr_size, repeats=_REPEATS, warmup=_WARMUP,
            device=self.device, colors=network.architecture.colors,
        )[0]  # fmt: skip
        measured_with = {
            "lr_size": list(found.lr_size),
            "device": found.device,
            "threads": found.threads,
            "dtype": found.dtype,
            "repeats": found.repeats,
        }
        return round(found.latency_ms, 4), round(found.latency_min_ms, 4), measured_with


def flaw(network: Network) -> str:
    """What is wrong with a network, one line: its output's shape or numbers, or its price.

    ``""`` is a network without a flaw.
    """
    arch = network.architecture
    for height, width in _CHECKED_SIZES:
        image = torch.rand(1, arch.colors, height, width)
        with torch.no_grad():
            output = network.eval()(image)
        expected = (1, arch.colors, height * arch.scale, width * arch.scale)
        if output.shape != expected:
            return f"its output is {tuple(output.shape)}, expected {expected}"
        if not output.isfinite().all():
            return "its output is not finite"
        if wrong := mispriced(network, (height, width)):
            return f"it has {wrong}"
    return ""
