"""Compact (SRVGGNetCompact, Wang et al., ICCVW 2021) by the keys of its authors' code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.deploy.spandrel.square import square
from search_spaces.activations import LeakyReLU, PReLU, ReLU
from search_spaces.blocks.plain import PlainBlock
from search_spaces.errors import NotPossible
from search_spaces.network import Network
from search_spaces.stems.chain import ChainStem, ConvStem
from search_spaces.upsamplers.pixelshuffle import PixelShuffle

__all__ = ["compact_output", "compact_state"]


def compact_state(network: Network) -> dict[str, Tensor]:
    """The state dict of the Compact that gives what the network gives.

    That is any row of 3x3 convolutions with PReLU, ReLU, LeakyReLU or nothing between them, whose
    last one is shuffled to pixels, with every pixel of the input repeated beneath them: slopes may
    be 0 or 1. Where widths differ, all become the widest, with zeros.

    Args:
        network: without training forms.

    Raises:
        NotPossible: it is another network; why.
    """
    a = network.architecture
    if a.image_skip.kind not in ("anchor", "nearest"):
        raise NotPossible(f"its image skip is {a.image_skip.kind}, expected anchor or nearest")
    if a.fusion.kind != "none":
        raise NotPossible(f"its fusion is {a.fusion.kind}, expected none")
    if a.mean is not None:
        raise NotPossible("it subtracts a mean")
    row = list(_row(network))
    if len(row) < 2:
        raise NotPossible("it has one convolution alone")
    squares = [square(conv) for conv, _ in row]
    squares[0] = squares[0].scaled(a.value_range)
    width = max(len(one.bias) for one in squares[:-1])
    state: dict[str, Tensor] = {}
    for n, ((_, activation), one) in enumerate(zip(row[:-1], squares[:-1], strict=True)):
        wide = one.widened(a.colors if n == 0 else width, width)
        state[f"body.{2 * n}.weight"], state[f"body.{2 * n}.bias"] = wide.weight, wide.bias
        state[f"body.{2 * n + 1}.weight"] = F.pad(
            _slopes(activation, len(one.bias)), (0, width - len(one.bias))
        )
    last, place = squares[-1].widened(width, len(squares[-1].bias)), 2 * len(row) - 2
    shrunk = 1 / a.value_range if a.restored else 1.0
    state[f"body.{place}.weight"] = last.weight * shrunk
    state[f"body.{place}.bias"] = last.bias * shrunk
    return state


def compact_output(state: Mapping[str, Tensor], image: Tensor) -> Tensor:
    """What a Compact of that state dict gives for images in 0..1, as its paper has it."""
    y, last = image, 2 * (len(state) // 3)
    for n in range(0, last, 2):
        y = F.conv2d(y, state[f"body.{n}.weight"], state[f"body.{n}.bias"], padding=1)
        y = F.prelu(y, state[f"body.{n + 1}.weight"])
    y = F.conv2d(y, state[f"body.{last}.weight"], state[f"body.{last}.bias"], padding=1)
    scale = isqrt(y.shape[1] // image.shape[1])
    return F.pixel_shuffle(y, scale) + F.interpolate(image, scale_factor=scale, mode="nearest")


def _row(network: Network) -> Iterator[tuple[nn.Module, nn.Module | None]]:
    """Every convolution and the activation behind it."""
    stem = network.stem
    if isinstance(stem, ConvStem):
        yield stem.conv, stem.activation
    elif isinstance(stem, ChainStem):
        yield from zip(stem.convs, stem.activations, strict=True)
    else:
        raise NotPossible(f"its stem is {network.architecture.stem.kind}, expected conv or chain")
    for block in network.blocks:
        if not isinstance(block, PlainBlock) or block.residual != "none":
            kinds = {part.kind for part in network.architecture.blocks}
            told = "plain with a residual" if kinds == {"plain"} else ", ".join(sorted(kinds))
            raise NotPossible(f"its blocks are {told}, expected plain without a residual")
        activations = [*block.activations, None]
        yield from ((conv, activations[k]) for k, conv in enumerate(block.convs))
    end = network.upsampler
    if not isinstance(end, PixelShuffle):
        kind = network.architecture.upsampler.kind
        raise NotPossible(f"its upsampler is {kind}, expected pixelshuffle")
    if isinstance(end.first, nn.Conv2d):
        yield end.first, end.activation
    yield end.conv, None


def _slopes(activation: nn.Module | None, width: int) -> Tensor:
    """Of the PReLU that does the same."""
    if activation is None or isinstance(activation, nn.Identity):
        return torch.ones(width)
    if isinstance(activation, ReLU):
        return torch.zeros(width)
    if isinstance(activation, LeakyReLU):
        return torch.full((width,), activation.slope)
    if isinstance(activation, PReLU):
        return activation.slopes.weight.detach().to("cpu", torch.float32)
    name = type(activation).__name__
    raise NotPossible(f"its activation is {name}, expected PReLU, ReLU or LeakyReLU")
