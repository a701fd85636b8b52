"""One step of a pipeline: what a network is worth, whether it is what it says, and is it better."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from compress.finetune import quality_of
from nas.data import Dataset
from nas.evaluate.environment import environment
from nas.latency.meter import Meter
from nas.records import FINISHED, TrialRecord
from search_spaces.network import Network, mispriced

__all__ = ["Judge", "flaw"]

_CHECKED_SIZES = ((24, 24), (13, 7))


@dataclass(frozen=True, slots=True)
class Judge:
    """Measures every network of a pipeline in the same way.

    Attributes:
        dataset: its validation photos are measured on.
        meter: says what the networks cost, on the device where the quality is measured too.
        trial: number of the trial that the network came from.
    """

    dataset: Dataset
    meter: Meter
    trial: int = 0

    def record(self, network: Network, name: str) -> TrialRecord:
        """All figures of the network after the step of that name."""
        arch = network.architecture
        figures = self.meter.cost(arch, network)
        quality = quality_of(network, self.dataset, self.meter.device)
        record = TrialRecord(
            self.trial,
            FINISHED,
            source=f"compressed:{name}",
            architecture=arch.to_dict(),
            architecture_hash=arch.hash,
            psnr_y_db=quality.psnr_y_db,
            ssim_y=quality.ssim_y,
        )
        made_with = {
            "data": self.dataset.name,
            "data_fingerprint": self.dataset.fingerprint,
            "latency": figures.measured_with,
            "environment": environment().to_dict(),
        }
        return figures.complete(record, made_with)


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
