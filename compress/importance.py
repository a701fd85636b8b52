"""What a channel is worth: torch-pruning's measures by name.

Every measure is a sum over the layers of a group of channels (DepGraph, Fang et al., CVPR
2023), divided by the group's mean so that groups can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from compress.dependencies import torch_pruning

__all__ = ["IMPORTANCES", "NEEDS_GRADIENTS", "measure"]

Measure = Callable[[Any], Tensor]


def _norm_of_makers(tp: Any, p: int) -> Callable[[Any], Any]:
    """Norms of the filters that make a channel alone, not of the weights that read it."""
    makers = (tp.prune_conv_out_channels, tp.prune_depthwise_conv_out_channels)
    magnitude = tp.importance.GroupMagnitudeImportance(p=p)

    def measured(group: Any) -> Any:
        items = (group[k] for k in range(len(group)))
        return magnitude([item for item in items if item.dep.pruning_fn in makers])

    return measured


_MEASURES: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "l1": lambda tp: _norm_of_makers(tp, 1),
    "l2": lambda tp: _norm_of_makers(tp, 2),
    "group_norm": lambda tp: tp.importance.GroupMagnitudeImportance(p=2),
    "lamp": lambda tp: tp.importance.LAMPImportance(p=2),
    "taylor": lambda tp: tp.importance.GroupTaylorImportance(),
}

IMPORTANCES = tuple(_MEASURES)
"""Norms of filters (``l1``, ``l2``); squared norms of all weights that make or read a channel
(``group_norm``); the same as shares of what is left (``lamp``, Lee et al., ICLR 2021); first
order change of the loss (``taylor``, Molchanov et al., CVPR 2019)."""
NEEDS_GRADIENTS = frozenset({"taylor"})


def measure(name: str) -> Measure:
    """The measure of that name: from a group to one number a channel."""
    measured = _MEASURES[name](torch_pruning())
    # Where no gradient arrives, a group's mean is 0 and nothing tells its channels apart.
    return lambda group: torch.as_tensor(measured(group)).float().nan_to_num(0.0)
