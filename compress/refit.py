"""Weights fitted anew after channels were taken out, by least squares and without training.

Layer by layer, in the order in which they run, a convolution of the pruned network is fitted
to give what the original's kept channels gave, from the inputs that it gets now (asymmetric
reconstruction: He et al., "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV
2017). What pruned channels carried is taken over by others that correlate with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["refit"]

# How strongly weights are held at what they were, as a share of the inputs' mean square.
_HOLD = 1e-3
_SAMPLES_PER_UNKNOWN = 2


@torch.no_grad()
def refit(
    pruned: nn.Module, original: nn.Module, kept: Mapping[str, Sequence[int]], images: Tensor
) -> None:
    """Fits the convolutions of ``pruned`` in place; both modules have the same layer names.

    Grouped convolutions, those without a bias (an image skip's), and layers that see too few
    pixels for their number of weights, stay.

    Args:
        pruned: what is left of ``original``.
        original: before pruning.
        kept: for each layer, the numbers of the output channels that are left.
        images: (N, colors, h, w) in 0..1.
    """
    wanted = _outputs(original, kept, images)
    layers = dict(pruned.named_modules())
    for name, target in wanted.items():
        layer = layers[name]
        if not isinstance(layer, nn.Conv2d) or layer.groups != 1 or layer.bias is None:
            continue
        pixels = target.shape[0] * target.shape[2] * target.shape[3]
        if pixels >= _SAMPLES_PER_UNKNOWN * (layer.weight[0].numel() + 1):
            _fit(layer, _input(pruned, layer, images), target)


def _outputs(
    network: nn.Module, kept: Mapping[str, Sequence[int]], images: Tensor
) -> dict[str, Tensor]:
    """What the kept channels of every convolution give, in the order in which they run."""
    found: dict[str, Tensor] = {}
    hooks = []
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):

            def note(_m: nn.Module, _i: Any, output: Tensor, name: str = name) -> None:
                found[name] = output[:, list(kept[name])].clone()

            hooks.append(module.register_forward_hook(note))
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found


class _ReachedError(Exception):
    def __init__(self, value: Tensor) -> None:
        self.value = value


def _input(network: nn.Module, layer: nn.Module, images: Tensor) -> Tensor:
    def stop(_m: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        raise _ReachedError(inputs[0].clone())

    hook = layer.register_forward_pre_hook(stop)
    try:
        network(images)
    except _ReachedError as reached:
        return reached.value
    finally:
        hook.remove()
    raise AssertionError("the layer does not run")


def _fit(layer: nn.Conv2d, inputs: Tensor, target: Tensor) -> None:
    kernel, stride = layer.kernel_size, layer.stride
    padding: Any = layer.padding
    count = layer.weight[0].numel()
    gram = torch.zeros(count + 1, count + 1, dtype=torch.float64)
    product = torch.zeros(count + 1, layer.out_channels, dtype=torch.float64)
    for image, wanted in zip(inputs, target, strict=True):
        columns = F.unfold(image[None], kernel, padding=padding, stride=stride)[0]
        rows = torch.cat([columns, torch.ones_like(columns[:1])])
        gram += (rows @ rows.T).double()
        product += (rows @ wanted.flatten(1).T).double()
    assert layer.bias is not None
    before = torch.cat([layer.weight.flatten(1), layer.bias[:, None]], dim=1).T.double()
    # Inputs that are all zero say nothing about the weights: they are held at what they were.
    scale = gram.diagonal()[:-1].mean().item() or 1.0
    hold = _HOLD * scale * torch.eye(count + 1, dtype=torch.float64)
    solution, failed = torch.linalg.solve_ex(gram + hold, product + hold @ before)
    fitted = solution.T.float()
    if not failed and fitted.isfinite().all():
        layer.weight.copy_(fitted[:, :-1].reshape(layer.weight.shape))
        layer.bias.copy_(fitted[:, -1])
