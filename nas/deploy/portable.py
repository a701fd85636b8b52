"""A network in a form that graph exporters can follow at any input size."""

from __future__ import annotations

import copy
import types

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.attention.esa import ESALite
from search_spaces.network import Network

__all__ = ["LEAST_ESA_SIDE_PX", "has_esa", "portable"]

LEAST_ESA_SIDE_PX = 15
"""Below this, ESA pads its map with border pixels."""


def has_esa(network: nn.Module) -> bool:
    """Whether an ESA is in it."""
    return any(isinstance(module, ESALite) for module in network.modules())


def portable(network: Network) -> Network:
    """A copy in evaluation mode, float32 on the CPU, whose graph holds for every size.

    ESA pads small maps in an ``if`` on the size, of which a traced graph keeps one branch;
    here it repeats the border pixels by an index that is the identity on larger maps.
    """
    copied = copy.deepcopy(network).float().cpu().eval().requires_grad_(False)
    for module in copied.modules():
        if isinstance(module, ESALite) and type(module).pooled is ESALite.pooled:
            module.pooled = types.MethodType(_pooled, module)  # type: ignore[method-assign]
    return copied


def _pooled(self: ESALite, x: Tensor) -> Tensor:
    for axis in (-2, -1):
        x = _extended(x, axis)
    return F.max_pool2d(self.stride(x), kernel_size=7, stride=3)


def _extended(x: Tensor, axis: int) -> Tensor:
    """Continued by its last pixel to the least side."""
    # Fourteen more than there are, then cut: every step exists in any graph format.
    side = x.shape[axis]
    last = x.narrow(axis, side - 1, 1)
    more = [1] * x.ndim
    more[axis] = LEAST_ESA_SIDE_PX - 1
    longer = torch.cat([x, last.repeat(more)], dim=axis)
    return longer.narrow(axis, 0, torch.sym_max(side, LEAST_ESA_SIDE_PX))
