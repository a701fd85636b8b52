"""Training forms turned into the plain 3x3 convolutions that they are in use."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from search_spaces.architecture import Architecture
from search_spaces.convs import CONVS
from search_spaces.network import Network, build
from search_spaces.part import Part

__all__ = ["fold", "folded"]


def folded(architecture: Architecture) -> Architecture:
    """The architecture in use: every convolution with a ``fold`` is a plain 3x3.

    LMSWN folded keeps the two numbers of each weighted residual: 490,032 parameters at x4.
    """
    parts = [block for block, _ in groupby(architecture.blocks)]
    if not any(map(_has_training_form, [*parts, architecture.stem, architecture.fusion])):
        return architecture
    return Architecture.from_dict(_plain(architecture.to_dict()))


def fold(network: Network) -> Network:
    """A network with the same output (to rounding) in evaluation, without training forms.

    The given network stays as it is.
    """
    lean = build(folded(network.architecture)).to(next(network.parameters()))
    replaced: dict[str, Tensor] = {}
    covered: list[str] = []
    for name, module in network.named_modules():
        if callable(getattr(module, "fold", None)):
            weight, bias = module.fold()
            replaced[f"{name}.conv.weight"] = weight
            if bias is not None:
                replaced[f"{name}.conv.bias"] = bias
            covered.append(f"{name}.")
    kept = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if not name.startswith(tuple(covered))
    }
    with torch.no_grad():
        lean.load_state_dict(kept | replaced)
    return lean.train(network.training)


def _has_training_form(part: Part) -> bool:
    convolution = dict(part.options).get("convolution")
    return isinstance(convolution, Part) and _folds(convolution.kind)


def _plain(data: Any) -> Any:
    if isinstance(data, list):
        return [_plain(item) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: _in_use(value) if key == "convolution" and _folds(value) else _plain(value)
        for key, value in data.items()
    }


def _in_use(convolution: Any) -> Any:
    biased = not isinstance(convolution, dict) or convolution.get("bias", True)
    return "plain" if biased else {"kind": "plain", "bias": False}


def _folds(convolution: Any) -> bool:
    kind = convolution["kind"] if isinstance(convolution, dict) else convolution
    return callable(getattr(CONVS[kind], "fold", None))
