"""Whole networks and each of their operators, timed in turns on this device."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nas.evaluate.precision import arithmetic, best_device
from nas.latency.clock import best_ms, time_until_settled
from nas.latency.device import Device
from nas.latency.network_time import reference_network
from nas.latency.operations import computes
from nas.latency.runtime import image_of, placed, read_ms, runner, torch_runner
from nas.quiet import measuring
from nas.training.state import seeded
from search_spaces import Architecture, Network, build

__all__ = ["Measured", "measure_batch"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One network's times on one device, milliseconds.

    Attributes:
        architecture: the network, as plain data.
        latency_ms: of whole passes, as `nas.latency.network_time` judges them.
        operations_ms: median of each operator that ``operations`` lists, in its order, run in
            its place in the network; empty for a runtime that doesn't show its operators.
        reference_ms: likewise, of the fixed reference network in the same rounds.
    """

    architecture: dict[str, Any]
    latency_ms: float
    operations_ms: tuple[float, ...]
    reference_ms: float


def measure_batch(
    architectures: Sequence[Architecture],
    device: Device,
    *,
    rounds: int = 7,
    warmup: int = 2,
    exports: Path | None = None,
) -> list[Measured]:
    """Times several networks in turns with a fixed reference: whole, and operator by operator.

    Operators are timed where they stand, so that each finds in the caches what the one before
    it left there. Graphs for ONNX Runtime are kept in the folder ``exports``, if it is given.

    Raises:
        InputError: no such device or runtime.
    """
    networks = [seeded(partial(build, a), 0).eval() for a in architectures]
    entrants: dict[str, Callable[[], object]] = {
        str(k): runner(network, device.lr_size, runtime=device.runtime, device=device.place,
                       dtype=device.dtype, exports=exports)
        for k, network in enumerate(networks)
    }  # fmt: skip
    entrants["reference"] = torch_runner(
        reference_network(3), 3, device.lr_size, device=device.place, dtype=device.dtype
    )
    where = best_device(device.place).type
    laps = time_until_settled(entrants, rounds=rounds, warmup=warmup, device=where)
    own_ms = {name: best_ms(of.own_ms(where)) for name, of in laps.items()}
    inside: list[tuple[float, ...]] = [()] * len(networks)
    if device.runtime == "torch":
        inside = _operators(networks, device, rounds=max(3, rounds // 2))
    return [
        Measured(a.to_dict(), own_ms[str(k)], inside[k], own_ms["reference"])
        for k, a in enumerate(architectures)
    ]


def _operators(
    networks: Sequence[Network], device: Device, *, rounds: int
) -> list[tuple[float, ...]]:
    where = best_device(device.place)
    moved = [placed(network, where) for network in networks]
    image = image_of(networks[0].architecture.colors, device.lr_size, where)
    spent: list[list[list[float]]] = [[] for _ in networks]
    # Not in inference mode, in which torch keeps some operators whole.
    with measuring(), torch.no_grad(), arithmetic(where.type, device.dtype):
        for _ in range(1 + rounds):
            for network, of in zip(moved, spent, strict=True):
                with _Watch(where) as watch:
                    network(image)
                of.append(watch.times_ms)
    return [tuple(statistics.median(one) for one in zip(*of[1:], strict=True)) for of in spent]


class _Watch(TorchDispatchMode):
    """Times every operator that computes."""

    def __init__(self, where: torch.device) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.times_ms: list[float] = []
        self._where = where

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not computes(func):
            return func(*args, **kwargs)
        began_ms = read_ms(self._where)
        out = func(*args, **kwargs)
        self.times_ms.append(read_ms(self._where) - began_ms)
        return out
