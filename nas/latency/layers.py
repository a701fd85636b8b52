"""Where the time of a forward pass goes, layer by layer."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from nas.evaluate.precision import best_device
from nas.latency.runtime import image_of, placed, read_ms
from nas.quiet import measuring
from search_spaces.network import Network

__all__ = ["LayerTime", "layer_times"]


@dataclass(frozen=True, slots=True)
class LayerTime:
    """One layer's median time, milliseconds, and its share of the whole pass (0..1)."""

    name: str
    kind: str
    median_ms: float
    share: float


def layer_times(
    network: Network, lr_size: tuple[int, int], *, device: str, rounds: int, warmup: int
) -> list[LayerTime]:
    """Median time of every layer without parts of its own, in the order they first run.

    What stands between layers (sums, concatenations, interpolation) is the last row,
    ``between layers``. torch, float32, channels_last; the watches themselves cost some
    microseconds a layer, on CUDA more, because each layer is waited for.

    Raises:
        InputError: no such device.
    """
    where = best_device(device)
    moved = placed(network, where)
    image = image_of(network.architecture.colors, lr_size, where)
    spent: dict[str, list[float]] = {}
    kinds: dict[str, str] = {}
    began: dict[str, float] = {}

    def watch(name: str, module: nn.Module) -> None:
        def before(_module: nn.Module, _inputs: Any) -> None:
            began[name] = read_ms(where)

        def after(_module: nn.Module, _inputs: Any, _output: Any) -> None:
            kinds[name] = type(module).__name__
            # A module that is called several times, as an activation is, has their sum.
            spent.setdefault(name, []).append(read_ms(where) - began[name])

        module.register_forward_pre_hook(before)
        module.register_forward_hook(after)

    for name, module in moved.named_modules():
        leaf = not any(True for _ in module.children())
        if leaf and not isinstance(module, nn.Identity):
            watch(name, module)
    totals: list[float] = []
    between: list[float] = []
    per_round: dict[str, list[float]] = {}
    with measuring(), torch.inference_mode():
        for number in range(warmup + rounds):
            spent.clear()
            start = read_ms(where)
            moved(image)
            whole = read_ms(where) - start
            if number >= warmup:
                totals.append(whole)
                for name, parts in spent.items():
                    per_round.setdefault(name, []).append(sum(parts))
                between.append(whole - sum(map(sum, spent.values())))
    total = statistics.median(totals)
    rows = [*per_round.items(), ("between layers", between)]
    return [
        LayerTime(name, kinds.get(name, ""), (ms := statistics.median(list_ms)), ms / total)
        for name, list_ms in rows
    ]
