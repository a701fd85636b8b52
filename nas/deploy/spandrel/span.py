"""SPAN (Wan et al., CVPRW 2024) by the keys of its authors' code."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt

import torch
from torch import Tensor
from torch.nn import functional as F

from nas.deploy.spandrel.square import Square, square
from search_spaces.blocks.spab import SPAB
from search_spaces.errors import NotPossible
from search_spaces.fusions.span import SpanFusion
from search_spaces.network import Network
from search_spaces.stems.chain import ConvStem
from search_spaces.training_form import collapsed
from search_spaces.upsamplers.pixelshuffle import PixelShuffle

__all__ = ["span_output", "span_state"]

_BLOCKS = 6
_MEAN, _RANGE = (0.4488, 0.4371, 0.4040), 255
"""What is subtracted from images in 0..1, and what they are multiplied with then, unless the
state dict has the key ``no_norm``; neither number stands in it."""


def span_state(network: Network) -> dict[str, Tensor]:
    """The state dict of the SPAN that gives what the network gives.

    Its width is free. Narrower places within blocks are filled up with zeros: its code has none.

    Args:
        network: without training forms.

    Raises:
        NotPossible: it is another network; why.
    """
    a, fusion, end = network.architecture, network.fusion, network.upsampler
    kinds = sorted({part.kind for part in a.blocks})
    if kinds != ["spab"]:
        raise NotPossible(f"its blocks are {', '.join(kinds) or 'none'}, expected spab")
    if not isinstance(fusion, SpanFusion):
        raise NotPossible(f"its fusion is {a.fusion.kind}, expected span")
    blocks = [block for block in (*network.blocks, fusion.block) if isinstance(block, SPAB)]
    if len(blocks) != _BLOCKS:
        raise NotPossible(f"it has {len(a.blocks)} blocks before its fusion, expected 5")
    if a.activation.kind != "silu":
        raise NotPossible(f"its activation is {a.activation.kind}, expected silu")
    if not isinstance(network.stem, ConvStem) or a.stem["activated"]:
        raise NotPossible("its stem is not one convolution without an activation")
    if not isinstance(end, PixelShuffle) or a.upsampler["inner"] is not None:
        raise NotPossible("its upsampler is not one convolution and a pixel shuffle")
    if a.image_skip.kind != "none":
        raise NotPossible(f"its image skip is {a.image_skip.kind}, expected none")
    if a.mean not in (None, _MEAN):
        raise NotPossible(f"its mean is {list(a.mean)}, expected {list(_MEAN)} or none")
    fed = a.value_range / (1 if a.mean is None else _RANGE)
    state = _trained("conv_1", square(network.stem.conv).scaled(fed))
    for n, block in enumerate(blocks):
        for k, conv in enumerate(block.convs):
            wide = square(conv).widened(a.channels, a.channels)
            state |= _trained(f"block_{n + 1}.c{k + 1}_r", wide)
    state |= _trained("conv_2", square(fusion.conv))
    state["conv_cat.weight"] = fusion.fuse.weight.detach().float().cpu()
    assert fusion.fuse.bias is not None
    state["conv_cat.bias"] = fusion.fuse.bias.detach().float().cpu()
    last = square(end.conv)
    if a.restored:
        shift = torch.tensor(a.mean or (0.0,) * a.colors).repeat_interleave(a.scale**2)
        last = Square(last.weight / a.value_range, last.bias / a.value_range + shift)
    state["upsampler.0.weight"], state["upsampler.0.bias"] = last.weight, last.bias
    if a.mean is None:
        state["no_norm"] = torch.zeros(1)
    return state


def span_output(state: Mapping[str, Tensor], image: Tensor) -> Tensor:
    """What a SPAN of that state dict gives for images in 0..1, as its paper and code have it."""
    folded = collapsed(state)

    def conv(name: str, x: Tensor) -> Tensor:
        weight = folded[f"{name}.weight"]
        return F.conv2d(x, weight, folded[f"{name}.bias"], padding=weight.shape[-1] // 2)

    x = image
    if "no_norm" not in state:
        x = (x - torch.tensor(_MEAN).view(1, 3, 1, 1)) * _RANGE
    first = y = conv("conv_1.eval_conv", x)
    outputs = []
    for n in range(1, _BLOCKS + 1):
        # What the last block has here is gathered, too, and its code activates in place.
        begun = F.silu(conv(f"block_{n}.c1_r.eval_conv", y))
        inside = F.silu(conv(f"block_{n}.c2_r.eval_conv", begun))
        inside = conv(f"block_{n}.c3_r.eval_conv", inside)
        y = (inside + y) * (inside.sigmoid() - 0.5)
        outputs.append(y)
    gathered = torch.cat([first, conv("conv_2.eval_conv", y), outputs[0], begun], 1)
    squares = conv("upsampler.0", conv("conv_cat", gathered))
    return F.pixel_shuffle(squares, isqrt(squares.shape[1] // image.shape[1]))


def _trained(place: str, one: Square) -> dict[str, Tensor]:
    """A Conv3XC of that output: its code computes ``eval_conv`` anew from the branches.

    The inner widths are twice the outer ones. Each half of them carries half of the kernel, which
    is exact in floating point, and leaves no weight without a gradient, should training go on.
    """
    c_out, c_in = one.weight.shape[:2]
    zero = torch.zeros_like(one.weight)
    kernel = torch.cat([torch.cat([one.weight / 2, zero], 1), torch.cat([zero, one.weight / 2], 1)])
    branches = {
        "sk": (torch.zeros(c_out, c_in), torch.zeros(c_out)),
        "conv.0": (torch.eye(c_in).repeat(2, 1), torch.zeros(2 * c_in)),
        "conv.1": (kernel, (one.bias / 2).repeat(2)),
        "conv.2": (torch.eye(c_out).repeat(1, 2), torch.zeros(c_out)),
        "eval_conv": (one.weight, one.bias),
    }
    state = {}
    for name, (weight, bias) in branches.items():
        pointwise = weight.ndim == 2
        state[f"{place}.{name}.weight"] = weight[:, :, None, None] if pointwise else weight
        state[f"{place}.{name}.bias"] = bias
    return state
