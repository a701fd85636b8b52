"""What a channel is worth: torch-pruning's measures by name.

Every measure is a sum over the layers of a group of channels (DepGraph, Fang et al., CVPR
2023), divided by the group's mean so that groups can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from compress.dependencies import torch_pruning

__all__ = ["IMPORTANCES", "NEEDS_GRADIENTS", "measure"]

Measure = Callable[[Any], Tensor]


def _l1(tp: Any) -> Measure:
    return _of_makers(tp, tp.importance.GroupMagnitudeImportance(p=1))


def _l2(tp: Any) -> Measure:
    return _of_makers(tp, tp.importance.GroupMagnitudeImportance(p=2))


def _of_makers(tp: Any, magnitude: Any) -> Measure:
    """Norms of the filters that make a channel alone, not of the weights that read it."""
    makers = (tp.prune_conv_out_channels, tp.prune_depthwise_conv_out_channels)

    def measured(group: Any) -> Tensor:
        items = [item for item in _items(group) if item.dep.pruning_fn in makers]
        return _tensor(magnitude(items))

    return measured


def _whole(magnitude: Any) -> Measure:
    return lambda group: _tensor(magnitude(group))


_MEASURES: dict[str, Callable[[Any], Measure]] = {
    "l1": _l1,
    "l2": _l2,
    "group_norm": lambda tp: _whole(tp.importance.GroupMagnitudeImportance(p=2)),
    "lamp": lambda tp: _whole(tp.importance.LAMPImportance(p=2)),
    "taylor": lambda tp: _whole(tp.importance.GroupTaylorImportance()),
}

IMPORTANCES = tuple(_MEASURES)
"""Norms of filters (``l1``, ``l2``); squared norms of all weights that make or read a channel
(``group_norm``); the same as shares of what is left (``lamp``, Lee et al., ICLR 2021); first
order change of the loss (``taylor``, Molchanov et al., CVPR 2019)."""
NEEDS_GRADIENTS = frozenset({"taylor"})


def measure(name: str) -> Measure:
    """The measure of that name: from a group to one number a channel."""
    return _MEASURES[name](torch_pruning())


def _items(group: Any) -> Iterable[Any]:
    return (group[k] for k in range(len(group)))


def _tensor(values: Any) -> Tensor:
    # Where no gradient arrives, a group's mean is 0 and nothing tells its channels apart.
    return torch.as_tensor(values).float().nan_to_num(0.0)
