"""The one network class: stem, blocks, fusion, upsampler, image skip."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from search_spaces.architecture import Architecture
from search_spaces.blocks import BLOCKS
from search_spaces.convs import CollapsedConv
from search_spaces.cost import price
from search_spaces.errors import InputError
from search_spaces.fusions import FUSIONS
from search_spaces.layer import Size
from search_spaces.part import shown
from search_spaces.shuffle import shuffled
from search_spaces.skips import SKIPS, AnchorSkip
from search_spaces.stems import STEMS
from search_spaces.upsamplers import UPSAMPLERS, Shuffled

__all__ = ["Network", "build", "mispriced"]

_CHECKED: set[tuple[str, str]] = set()
_SIDE_PX = 24


class Network(nn.Module):
    """Any network of the space.

    Takes and gives images in 0..1, RGB or luma; its own value range and mean shift are
    applied inside.

    Attributes:
        architecture: what was built.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = architecture
        self.architecture = a
        self.stem = STEMS.make(a.stem, a.colors, a.channels, a.activation)
        self.blocks = nn.ModuleList(
            BLOCKS.make(block, a.channels, a.activation) for block in a.blocks
        )
        self.fusion = FUSIONS.make(a.fusion, a.channels, len(a.blocks), a.activation)
        self.upsampler = UPSAMPLERS.make(a.upsampler, a.channels, a.colors, a.scale, a.activation)
        self.image_skip = SKIPS.make(a.image_skip, a.colors, a.scale)
        mean = torch.tensor(a.mean or (0.0,) * a.colors).view(1, -1, 1, 1)
        self.register_buffer("mean", mean, persistent=False)
        self.mean: Tensor

    def forward(self, image: Tensor) -> Tensor:
        """(N, colors, h, w) in 0..1 to (N, colors, h * scale, w * scale), not clamped."""
        a = self.architecture
        x = image
        if a.mean is not None:
            x = x - self.mean.to(x.dtype)
        if a.value_range != 1:
            x = x * a.value_range
        features = self.stem(x)
        outputs: list[Tensor] = []
        y: Tensor = features
        for block in self.blocks:
            y = block(y)
            outputs.append(y)
        # One name all along: what is enlarged needs no memory beside the large image.
        y = self.fusion(features, outputs)
        if isinstance(self.upsampler, Shuffled) and isinstance(self.image_skip, AnchorSkip):
            y = self._in_range(self.upsampler.squares(y, x), image)
            return shuffled(y + self.image_skip.squares(image), a.scale)
        y = self._in_range(self.upsampler(y, x), image)
        if a.image_skip.kind != "none":
            # The enlarged image brings the mean back by itself.
            enlarged: Tensor = self.image_skip(image)
            return y + enlarged
        return y + self.mean.to(y.dtype) if a.mean is not None and a.restored else y

    def _in_range(self, y: Tensor, image: Tensor) -> Tensor:
        # Under autocast the sums that follow would round the image to bf16's 8 bits.
        y, a = y.to(image.dtype), self.architecture
        return y / a.value_range if a.value_range != 1 and a.restored else y

    @property
    def output_layer(self) -> nn.Module:
        """The convolution that makes the image: its channels are pixels."""
        return [m for m in self.upsampler.modules() if hasattr(m, "out_channels")][-1]


def build(architecture: Architecture | Mapping[str, Any]) -> Network:
    """The network of an architecture or its plain data, fresh weights from torch's random state.

    Convolutions keep the variance of their input (LeCun normal: standard deviation
    fan_in ** -0.5, parallel branches together) and have no bias at first. With an image
    skip, the last convolution starts at zero: an untrained network is then the plain
    upscale, and training learns what that lacks.

    Raises:
        InputError: plain data that make no architecture; or a part that a user added does not
            list the layers that it has: this is checked the first time that the part is built.
    """
    if isinstance(architecture, str | PathLike):
        raise InputError(
            f"build: expected an Architecture or its plain data, got {shown(architecture)}; "
            f"preset(NAME) and Architecture.load(FILE) make one"
        )
    if not isinstance(architecture, Architecture):
        architecture = Architecture.from_dict(architecture)
    foreign = architecture.foreign_parts()
    if not foreign <= _CHECKED:
        # On the meta device nothing is computed, and nothing is random.
        with torch.device("meta"):
            unfilled = Network(architecture).eval()
        if wrong := mispriced(unfilled, (_SIDE_PX, _SIDE_PX)):
            raise InputError(
                f"layers() of {_named(foreign - _CHECKED)} does not match its module: the network "
                f"{architecture.hash} has {wrong}"
            )
        _CHECKED.update(foreign)
    network = Network(architecture)
    if next(network.parameters()).is_meta:
        # Nothing is there to be filled, and torch would load its compiler for it: a second.
        return network
    for part in (network.stem, network.blocks, network.fusion, network.upsampler):
        # The image skip sets its own.
        _initialize(part)
    if callable(start := getattr(network.upsampler, "start", None)):
        start()
    for weights in network.output_layer.parameters():
        if architecture.image_skip.kind != "none":
            nn.init.zeros_(weights)
        elif not architecture.restored:
            # What it reads is as large as the image's range, what it makes is not.
            weights.data.div_(architecture.value_range)
    return network


def _named(parts: set[tuple[str, str]]) -> str:
    """In words, those of which one is meant: each is checked when it is first built."""
    names = sorted(f"{sort} {kind!r}" for sort, kind in parts)
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _initialize(network: nn.Module) -> None:
    branches: dict[nn.Module, int] = {}
    for module in network.modules():
        if isinstance(module, CollapsedConv):
            parallel = module.parallel()
            branches |= dict.fromkeys(parallel, len(parallel))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            # torch's own start is a third of this variance: deep chains fade out in it.
            fan_in = module.weight[0].numel() * branches.get(module, 1)
            nn.init.normal_(module.weight, std=fan_in**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def mispriced(network: Network, lr: Size) -> str:
    """How a forward pass differs from the price of the network's architecture, in a few words.

    Parameters and multiply-adds are counted and have to be exactly what is priced: ``""``.

    Args:
        network: any, on the meta device too.
        lr: height and width of the input.
    """
    arch = network.architecture
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, arch.colors, *lr, device=next(network.parameters()).device))
    priced = price(arch, lr=lr)
    counted = {
        "parameters": (sum(p.numel() for p in network.parameters()), priced.params),
        "multiply-adds": (counter.get_total_flops() // 2, priced.macs),
    }
    for name, (built, listed) in counted.items():
        if built != listed:
            return f"{built:,} {name} at {lr[0]}x{lr[1]} px, its price says {listed:,}"
    return ""
