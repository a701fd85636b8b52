"""How long one forward pass takes, measured so that the figure can be trusted."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas.evaluate.precision import best_device
from nas.quiet import measuring
from search_spaces.errors import InputError

__all__ = ["LatencyResult", "measure_latency", "reference_network"]


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Time of one forward pass of one network, milliseconds, and how it was measured.

    Attributes:
        latency_ms: median of the repeats.
        latency_min_ms: minimum; it stays put where other processes lift the median.
        reference_ms: median of a small fixed network timed in the same rounds: two results
            compare only as far as these agree.
        repeats: rounds timed.
        lr_size: (height, width) of the input, batch 1.
        device: as torch names it.
        threads: CPU threads of one operator.
        dtype: of weights and input.
    """

    latency_ms: float
    latency_min_ms: float
    reference_ms: float
    repeats: int
    lr_size: tuple[int, int]
    device: str
    threads: int
    dtype: str


def measure_latency(
    networks: Sequence[nn.Module],
    *,
    lr_size: tuple[int, int] = (180, 320),
    repeats: int = 10,
    warmup: int = 2,
    device: torch.device | str | None = None,
    threads: int | None = None,
    colors: int = 3,
) -> list[LatencyResult]:
    """Median and minimum over ``repeats`` rounds; every round times every network once.

    Interleaving lets a drift of the machine hit all networks alike. float32, channels_last,
    inference mode, batch 1, alone on the machine as far as `quiet.measuring` reaches. The
    networks are left as they are.

    Raises:
        InputError: a size, a count of repeats or of threads below 1, an unknown device.
    """
    for what, value in (("repeats", repeats), ("lr_size", min(lr_size)), ("threads", threads or 1)):
        if value < 1:
            raise InputError(f"{what} must be at least 1, got {value}")
    where = best_device("cpu" if device is None else str(device))
    timed = [_ready(network, where) for network in (*networks, reference_network(colors))]
    image = torch.rand(1, colors, *lr_size, generator=torch.Generator().manual_seed(0))
    image = image.to(where).contiguous(memory_format=torch.channels_last)
    times: list[list[float]] = [[] for _ in timed]
    with measuring(), _threads(threads), torch.inference_mode():
        for network in timed:
            for _ in range(max(1, warmup)):
                _forward_ms(network, image)
        for _ in range(repeats):
            for network, list_ms in zip(timed, times, strict=True):
                list_ms.append(_forward_ms(network, image))
        used = torch.get_num_threads()
    medians = [statistics.median(list_ms) for list_ms in times]
    return [
        LatencyResult(
            latency_ms=median,
            latency_min_ms=min(list_ms),
            reference_ms=medians[-1],
            repeats=repeats,
            lr_size=lr_size,
            device=str(where),
            threads=used,
            dtype="float32",
        )
        for median, list_ms in zip(medians[:-1], times[:-1], strict=True)
    ]


def _ready(network: nn.Module, device: torch.device) -> nn.Module:
    # A copy: the caller's network may be in the middle of a training.
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    return copied.to(device, torch.float32, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def reference_network(colors: int) -> nn.Module:
    """The small fixed network that every measurement times beside its own: three convolutions."""
    layers: list[nn.Module] = [nn.Conv2d(colors, 16, 3, padding=1)]
    layers += [nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1)] * 2
    return nn.Sequential(*layers)


def _forward_ms(network: nn.Module, image: Tensor) -> float:
    _synchronize(image.device)
    began = time.perf_counter()
    network(image)
    _synchronize(image.device)
    return (time.perf_counter() - began) * 1e3


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
