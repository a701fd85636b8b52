"""Convolutions cut in several with the same sums, for blocks written without slices.

A convolution whose output is cut in two becomes two convolutions, and a grouped one becomes
one a group, so that every width stands in a layer of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["Weights", "cut", "cut_activation", "named", "parts", "stacked"]

Weights = dict[str, Tensor]


def cut(conv: nn.Module, at: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Two convolutions: one makes the first ``at`` output channels, one the rest."""
    assert isinstance(conv, nn.Conv2d)
    return _rows(conv, 0, at), _rows(conv, at, conv.out_channels)


def parts(conv: nn.Module, count: int) -> list[nn.Conv2d]:
    """So many convolutions with an equal share of the output channels: of the groups, say."""
    assert isinstance(conv, nn.Conv2d)
    # A grouped weight's rows hold their own group's inputs alone, so rows are all there is.
    size = conv.out_channels // count
    return [_rows(conv, k * size, (k + 1) * size) for k in range(count)]


def cut_activation(activation: nn.Module, sizes: Sequence[int]) -> list[nn.Module]:
    """An activation for each of so many channels after one another, with their own slopes."""
    if not any(True for _ in activation.parameters()):
        return [activation] * len(sizes)
    made = [copy.deepcopy(activation) for _ in sizes]
    for each in zip(*(one.modules() for one in made), strict=True):
        if isinstance(each[0], nn.PReLU):
            slopes = each[0].weight.detach().split(list(sizes))
            for one, own in zip(each, slopes, strict=True):
                one.weight, one.num_parameters = nn.Parameter(own.clone()), len(own)
    return made


def named(name: str, module: nn.Module) -> Weights:
    """The weights of a module that stays whole, under its name in the block."""
    return {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}


def stacked(name: str, convs: Iterable[nn.Module]) -> Weights:
    """The weights of the one convolution, or activation, that these were cut from."""
    each = [conv.state_dict() for conv in convs]
    return {f"{name}.{sort}": torch.cat([one[sort] for one in each]) for sort in each[0]}


def _rows(conv: nn.Conv2d, start: int, stop: int) -> nn.Conv2d:
    weight, bias = conv.weight[start:stop], conv.bias
    made = nn.Conv2d(
        weight.shape[1], stop - start, weight.shape[2], padding=weight.shape[2] // 2,
        device=weight.device, dtype=weight.dtype,
    )  # fmt: skip
    assert bias is not None
    with torch.no_grad():
        made.weight.copy_(weight)
        assert made.bias is not None
        made.bias.copy_(bias[start:stop])
    return made
