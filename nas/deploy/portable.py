"""A network in a form that graph exporters can follow at any input size."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces.attention.esa import LEAST_SIDE_PX, ESALite
from search_spaces.network import Network

__all__ = ["portable"]

Continued = Callable[[Tensor, int], Tensor]


def _repeated(x: Tensor, least: int) -> Tensor:
    """`continued` without an ``if``: fourteen more than there are, then cut."""
    for axis in (-2, -1):
        last = x[..., -1:, :] if axis == -2 else x[..., -1:]
        longer = torch.cat([x, *(last,) * (least - 1)], dim=axis)
        x = longer.narrow(axis, 0, torch.sym_max(x.shape[axis], least))
    return x


def portable(
    network: Network, continued: Continued = _repeated, *, in_place: bool = False
) -> Network:
    """A copy in evaluation mode, float32 on the CPU, whose graph holds for every size.

    Args:
        network: any.
        continued: stands for `search_spaces.attention.esa.continued`, in whose ``if`` on the
            size a traced graph keeps one branch.
        in_place: whether activations overwrite their inputs, as a trace does then. An ONNX graph
            is the same either way, and made in three quarters of the time without.
    """
    copied = copy.deepcopy(network).float().cpu().eval().requires_grad_(False)

    def pooled(self: ESALite, x: Tensor) -> Tensor:
        return F.max_pool2d(self.stride(continued(x, LEAST_SIDE_PX)), kernel_size=7, stride=3)

    for module in copied.modules():
        if not in_place and getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
        if isinstance(module, ESALite) and type(module).pooled is ESALite.pooled:
            module.pooled = types.MethodType(pooled, module)  # type: ignore[method-assign]
    return copied
