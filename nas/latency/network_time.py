"""How long one forward pass takes, measured so that the figure can be trusted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from torch import nn

from nas.evaluate.precision import best_device
from nas.evaluate.threads import threads as with_threads
from nas.latency.clock import Laps, best_ms, time_until_settled
from nas.latency.drift import are_settled, drift_of, undrifted
from nas.latency.runtime import torch_runner

__all__ = ["BUSY", "LatencyResult", "measure_latency", "reference_network"]

BUSY = 1.25
"""A machine is busy where more time passes than this many times what a network takes."""

_REFERENCES = 3
"""Runs of the reference a round: the first one finds in the caches what a large network left."""


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Time of one forward pass of one network, milliseconds, and how it was measured.

    Attributes:
        latency_ms: lower quartile of the rounds, by the processor's time on a CPU, without the
            ``drift``: what the machine takes where it is left alone.
        latency_min_ms: the best round, or ``latency_ms`` where none was as little disturbed.
        median_ms: of the time that passed; above ``latency_ms`` where others use the machine.
        reference_ms: mean of the three best rounds of a small fixed network timed beside.
        drift: how many times longer than it can that network took, by its lower quartile, 1 to 1.5.
        repeats: rounds timed, until the best ones agree.
        lr_size: (height, width) of the input, batch 1.
        device: as torch names it, or the command that told the times.
        threads: CPU threads of one operator; None where only the device knows.
        dtype: of weights and input.
    """

    latency_ms: float
    latency_min_ms: float
    median_ms: float
    reference_ms: float
    drift: float
    repeats: int
    lr_size: tuple[int, int]
    device: str
    threads: int | None
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
            "drift": round(self.drift, 4),
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
    quiet_ms: float | None = None,
) -> list[LatencyResult]:
    """The networks in turns with a reference, ``repeats`` rounds and more where they are disturbed.

    They are so where the best rounds of a network differ, or where the reference took 5% longer
    than it can: than in its best rounds, or than ``quiet_ms``, which it has taken before. What it
    took longer in the end, the networks are taken to have taken longer, too: on a machine that was
    busy throughout, that comes closer to what they take on a quiet one than their best rounds do.

    float32, channels_last, inference mode, batch 1, alone on the machine as far as
    `quiet.measuring` reaches; see `nas.latency.clock`. The networks are left as they are.

    Raises:
        InputError: a size, a count of repeats or of threads below 1, an unknown device.
    """
    where = best_device(device)

    def settled(laps: Mapping[str, Laps]) -> bool:
        *own, reference_ms = _times_ms(laps, len(networks), where.type)
        return are_settled(own, reference_ms, quiet_ms)

    with with_threads(threads) as used:
        entrants = {
            str(k): torch_runner(network, colors, lr_size, device=device)
            for k, network in enumerate(networks)
        }
        reference = torch_runner(reference_network(colors), colors, lr_size, device=device)
        entrants |= {f"reference {k}": reference for k in range(_REFERENCES)}
        laps = time_until_settled(
            entrants, rounds=repeats, warmup=max(1, warmup), device=where.type, settled=settled
        )
    *own, reference_ms = _times_ms(laps, len(networks), where.type)
    found = [undrifted(times_ms, drift_of(reference_ms, quiet_ms)) for times_ms in own]
    return [
        LatencyResult(
            latency_ms=one.latency_ms,
            latency_min_ms=one.latency_min_ms,
            median_ms=statistics.median(laps[str(k)].passed_ms),
            reference_ms=best_ms(reference_ms),
            drift=one.drift,
            repeats=len(times_ms),
            lr_size=lr_size,
            device=str(where),
            threads=used,
            dtype="float32",
        )
        for k, (times_ms, one) in enumerate(zip(own, found, strict=True))
    ]


def _times_ms(laps: Mapping[str, Laps], networks: int, device: str) -> list[tuple[float, ...]]:
    """Of each network, and at last of all runs of the reference."""
    each = [of.own_ms(device) for of in laps.values()]
    return [*each[:networks], tuple(chain.from_iterable(each[networks:]))]


def reference_network(colors: int) -> nn.Module:
    """The small fixed network that every measurement times beside its own: three convolutions."""
    layers: list[nn.Module] = [nn.Conv2d(colors, 16, 3, padding=1)]
    layers += [nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1)] * 2
    return nn.Sequential(*layers)
