"""How long one forward pass takes, measured so that the figure can be trusted."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from nas.evaluate.precision import best_device
from nas.evaluate.threads import threads as with_threads
from nas.latency.clock import best_ms, time_until_settled
from nas.latency.runtime import torch_runner

__all__ = ["BUSY", "LatencyResult", "measure_latency", "reference_network"]

BUSY = 1.25
"""A machine is busy where more time passes than this many times what a network takes."""


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Time of one forward pass of one network, milliseconds, and how it was measured.

    Attributes:
        latency_ms: mean of the three best rounds, by the processor's time on a CPU: what the
            machine takes where it is left alone.
        latency_min_ms: the best round.
        median_ms: of the time that passed; above ``latency_ms`` where others use the machine.
        reference_ms: as ``latency_ms``, of a small fixed network timed in the same rounds: two
            results compare only as far as these agree.
        repeats: rounds timed, until the best ones agree.
        lr_size: (height, width) of the input, batch 1.
        device: as torch names it.
        threads: CPU threads of one operator.
        dtype: of weights and input.
    """

    latency_ms: float
    latency_min_ms: float
    median_ms: float
    reference_ms: float
    repeats: int
    lr_size: tuple[int, int]
    device: str
    threads: int
    dtype: str

    @property
    def busy(self) -> bool:
        """Whether others used the machine meanwhile."""
        return self.median_ms > BUSY * self.latency_ms

    def measured_with(self) -> dict[str, Any]:
        """How it was measured, for a record."""
        return {
            "lr_size": list(self.lr_size),
            "device": self.device,
            "threads": self.threads,
            "dtype": self.dtype,
            "repeats": self.repeats,
            "median_ms": round(self.median_ms, 4),
            "reference_ms": round(self.reference_ms, 4),
        }


def measure_latency(
    networks: Sequence[nn.Module],
    *,
    lr_size: tuple[int, int] = (180, 320),
    repeats: int = 7,
    warmup: int = 2,
    device: str = "cpu",
    threads: int | None = None,
    colors: int = 3,
) -> list[LatencyResult]:
    """The networks in turns with a reference, ``repeats`` rounds and more where they are disturbed.

    float32, channels_last, inference mode, batch 1, alone on the machine as far as
    `quiet.measuring` reaches; see `nas.latency.clock`. The networks are left as they are.

    Raises:
        InputError: a size, a count of repeats or of threads below 1, an unknown device.
    """
    where = best_device(device)
    with with_threads(threads) as used:
        entrants = {
            str(k): torch_runner(network, colors, lr_size, device=device)
            for k, network in enumerate((*networks, reference_network(colors)))
        }
        laps = [*time_until_settled(entrants, rounds=repeats, warmup=max(1, warmup),
                                    device=where.type).values()]  # fmt: skip
    own = [of.own_ms(where.type) for of in laps]
    return [
        LatencyResult(
            latency_ms=best_ms(times_ms),
            latency_min_ms=min(times_ms),
            median_ms=statistics.median(of.passed_ms),
            reference_ms=best_ms(own[-1]),
            repeats=len(times_ms),
            lr_size=lr_size,
            device=str(where),
            threads=used,
            dtype="float32",
        )
        for of, times_ms in zip(laps[:-1], own[:-1], strict=True)
    ]


def reference_network(colors: int) -> nn.Module:
    """The small fixed network that every measurement times beside its own: three convolutions."""
    layers: list[nn.Module] = [nn.Conv2d(colors, 16, 3, padding=1)]
    layers += [nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1)] * 2
    return nn.Sequential(*layers)
