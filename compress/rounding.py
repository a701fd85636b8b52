"""Weights rounded to 8 bits so that a layer's outputs stay, not so that each weight is nearest.

Frantar and Alistarh, "Optimal brain compression", NeurIPS 2022, in the order and with the Cholesky
factors of Frantar et al., "OPTQ", ICLR 2023: column by column, what rounding a weight does to the
outputs on calibration images is made good by the weights that are not rounded yet. No training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compress.calibration import Array
from compress.equalize import Scales

__all__ = ["rounded_weights"]

_LEVELS = 127
# Of the mean square of the inputs: directions in which photos hardly vary are left alone.
_DAMPING = 0.01
_MOST_PLACES = 1_000
# Squares of a layer that reads more take gigabytes; its weights are rounded to the nearest.
_MOST_INPUTS = 4_096


@torch.no_grad()
def rounded_weights(
    network: nn.Module, images: Sequence[Array], scales: Mapping[str, Scales] | None = None
) -> dict[str, Array]:
    """By layer: weights that lie on the grid of 8 bits a channel, largest magnitude as before.

    Args:
        network: folded, in float32; it stays as it is.
        images: LR crops, (1, colors, h, w) in 0..1.
        scales: by layer, what its weights are multiplied by first, where they are.

    Returns:
        For every convolution; transposed and very wide ones are left out.
    """
    layers = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.weight[0].numel() <= _MOST_INPUTS
    }
    sums = {name: _Squares(layer) for name, layer in layers.items()}
    hooks = [layer.register_forward_pre_hook(sums[name]) for name, layer in layers.items()]
    try:
        for image in images:
            network(torch.from_numpy(np.ascontiguousarray(image)))
    finally:
        for hook in hooks:
            hook.remove()
    of = scales or {}
    return {name: _rounded(one, sums[name].total, of.get(name)) for name, one in layers.items()}


class _Squares:
    """The sum of x x^T over places that a layer reads, (groups, n, n) for n weights a channel."""

    def __init__(self, layer: nn.Conv2d) -> None:
        self.layer = layer
        n = layer.weight[0].numel()
        self.total = torch.zeros(layer.groups, n, n, dtype=torch.float64)

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        one = self.layer
        assert not isinstance(one.padding, str)
        read = F.unfold(inputs[0], one.kernel_size, one.dilation, one.padding, one.stride)
        # An odd step, so that no column of the image is left out.
        x = read.view(one.groups, -1, read.shape[-1])[..., :: read.shape[-1] // _MOST_PLACES | 1]
        self.total += (x @ x.transpose(1, 2)).double()


def _rounded(layer: nn.Conv2d, squares: Tensor, scales: Scales | None) -> Array:
    weight = layer.weight.double()
    if scales is not None:
        inputs, outputs = map(torch.tensor, (scales.inputs, scales.outputs))
        weight = weight * inputs[..., None, None] * outputs[:, None, None, None]
        # The same for all outputs of a group.
        read = inputs.reshape(layer.groups, -1, inputs.shape[1])[:, 0].double()
        wide = 1 / read.repeat_interleave(weight[0, 0].numel(), dim=1)
        squares = squares * wide[:, :, None] * wide[:, None, :]
    rows = weight.reshape(layer.groups, -1, squares.shape[-1])
    groups = [_rounded_rows(w, s) for w, s in zip(rows, squares, strict=True)]
    return np.asarray(torch.cat(groups).reshape(layer.weight.shape).float().numpy())


def _rounded_rows(weight: Tensor, squares: Tensor) -> Tensor:
    """(out, n) with the inputs' squares (n, n), rounded to the grid of each row."""
    most, where = weight.abs().max(dim=1)
    step = (most / _LEVELS).clamp_min(1e-30)
    n = len(squares)
    damped = squares + torch.eye(n, dtype=squares.dtype) * (
        _DAMPING * squares.diagonal().mean() + 1e-12
    )
    upper = torch.linalg.cholesky(torch.linalg.inv(damped), upper=True)
    left, done = weight.clone(), torch.empty_like(weight)
    for k in range(n):
        levels = (left[:, k] / step).round().clamp(-_LEVELS, _LEVELS)
        # The grid itself is read off the largest weight of a row.
        levels = torch.where(where == k, weight[:, k].sign() * _LEVELS, levels)
        done[:, k] = levels * step
        error = (left[:, k] - done[:, k]) / upper[k, k]
        left[:, k + 1 :] -= error[:, None] * upper[k, k + 1 :]
    return done
