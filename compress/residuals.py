"""Additions that linear algebra moves into convolutions, with equal outputs.

Two of them: the identity of a shallow residual block, act(conv(y) + y), is one more tap of
its convolution; and the two numbers of a weighted residual, a*out + b*x, become scales of
the convolutions around it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from compress.blocks import Weights, prefix, rebuilt, with_blocks
from search_spaces.attention import ATTENTIONS
from search_spaces.convs import CONVS
from search_spaces.network import Network
from search_spaces.part import Part

__all__ = ["absorb_identities", "absorb_scales"]

# Below this a number of a weighted residual is too near to zero to divide by.
_LEAST_SCALE = 1e-3


def absorb_identities(network: Network) -> Network:
    """Shallow residuals folded into their plain convolutions; the given network stays.

    RFDN's SRB is act(conv(y) + y), and so is SESR's block: with one added to the middle tap of
    each channel's own filter the addition goes, and the stream's width is no longer tied to the
    trunk's.
    """
    weights = dict(network.state_dict())

    def edit(index: int, block: Part) -> Part:
        options = dict(block.options)
        if block.kind == "plain" and _is_shallow(options):
            name = f"{prefix(index)}convs.0.conv.weight"
            weights[name] = _with_identity(weights[name])
            return Part(block.kind, tuple({**options, "residual": "none"}.items()))
        if block.kind != "distillation" or options["convolution"].kind != "plain":
            return block
        places = []
        if options["shallow_residual"]:
            places += [f"stages.{k}" for k in range(options["stages"] - 1)]
        if options["last_residual"]:
            places.append("last")
        for place in places:
            name = f"{prefix(index)}{place}.conv.weight"
            weights[name] = _with_identity(weights[name])
        return Part(
            block.kind,
            tuple({**options, "shallow_residual": False, "last_residual": False}.items()),
        )

    return rebuilt(with_blocks(network.architecture, edit), weights, network)


def _is_shallow(options: Mapping[str, Any]) -> bool:
    if options["convolutions"] > 1 or options["convolution"].kind != "plain":
        return False
    return bool(options["residual"] == "before")


def _with_identity(weight: Tensor) -> Tensor:
    added = weight.clone()
    diagonal, middle = torch.arange(weight.shape[0]), weight.shape[-1] // 2
    added[diagonal, diagonal, middle, middle] += 1
    return added


def absorb_scales(network: Network) -> Network:
    """Weighted residuals turned into plain sums; the same network where that is not possible.

    The trunk carries its value divided by the product of the factors b so far; whatever
    reads it is linear at first and takes the product into its weights. It is not possible
    where something else reads the trunk (blocks but distillation, a shallow residual in the
    first stage), behind a gate that a factor does not pass through, or near zero.
    """
    arch = network.architecture
    if not any(_option(block, "residual") == "weighted" for block in arch.blocks):
        return network
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    scales = [1.0]
    for index, block in enumerate(arch.blocks):
        scale = _absorb_block(weights, prefix(index), block, scales[-1])
        if scale is None:
            return network
        scales.append(scale)
    if not _absorb_fusion(weights, arch.fusion.kind, arch.channels, scales):
        return network

    def edit(_: int, block: Part) -> Part:
        if _option(block, "residual") != "weighted":
            return block
        return Part(block.kind, tuple({**dict(block.options), "residual": "output"}.items()))

    return rebuilt(with_blocks(arch, edit), weights, network)


def _option(block: Part, name: str) -> Any:
    return dict(block.options).get(name)


def _absorb_block(weights: Weights, at: str, block: Part, scale: float) -> float | None:
    """Lets a block read trunk / ``scale``; returns the scale of its output, or None."""
    if block.kind != "distillation":
        return None
    options = dict(block.options)
    residual = options["residual"]
    first = "stages.0" if options["stages"] > 1 else "last"
    tied = options["last_residual"] if first == "last" else options["shallow_residual"]
    if scale != 1.0:
        reader = getattr(CONVS[options["convolution"].kind], "reads", None)
        if tied or reader is None or residual == "fuse":
            return None
        weights[f"{at}{first}.{reader}.weight"] *= scale
        if options["distillation"] == "fdc":
            weights[f"{at}distill.0.weight"] *= scale
    if residual in ("none", "fuse"):
        return 1.0
    after = scale
    factor = 1.0 / scale
    if residual == "weighted":
        a, b = weights.pop(f"{at}weights").tolist()
        after = scale * b
        if abs(after) < _LEAST_SCALE or abs(a) < _LEAST_SCALE:
            return None
        factor = a / after
    if not math.isfinite(factor) or not options["fuse"]:
        return None
    return after if _scale_output(weights, at, options, factor) else None


def _scale_output(weights: Weights, at: str, options: dict[str, Any], factor: float) -> bool:
    attention = options["attention"]
    if attention is not None and options["attention_place"] == "after":
        reader = getattr(ATTENTIONS[attention.kind], "reads", None)
        # What is pooled over the image, such as a standard deviation, may forget the sign.
        pools = hasattr(ATTENTIONS[attention.kind], "pool_globally")
        if reader is None or (pools and factor <= 0):
            return False
        weights[f"{at}attention.{reader}.weight"] /= factor
    weights[f"{at}fuse.weight"] *= factor
    weights[f"{at}fuse.bias"] *= factor
    return True


def _absorb_fusion(weights: Weights, kind: str, channels: int, scales: list[float]) -> bool:
    if kind == "concat":
        each = torch.tensor(scales[1:]).repeat_interleave(channels)
        weights["fusion.fuse.weight"] *= each.to(weights["fusion.fuse.weight"]).view(1, -1, 1, 1)
        return True
    # Of the upsampler, the first convolution; beside the image nothing can be scaled alone.
    readers = {
        "chain": ("fusion.conv.weight",),
        "none": ("upsampler.first.weight", "upsampler.conv.weight"),
    }
    for name in readers.get(kind, ()):
        if name in weights:
            weights[name] *= scales[-1]
            return True
    return False
