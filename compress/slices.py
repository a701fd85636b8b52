"""Networks written without slices: what torch-pruning's dependency graph can follow.

A convolution whose output is cut in two becomes two convolutions, and a grouped one becomes
one a group: the same sums, with every width standing in a layer of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from compress.blocks import Weights, prefix, rebuilt, with_blocks
from search_spaces.architecture import Architecture
from search_spaces.blocks.enhancement import EnhancementBlock
from search_spaces.blocks.group import DistillingGroup
from search_spaces.errors import NotPossible
from search_spaces.network import Network, build
from search_spaces.part import Part

__all__ = ["Unsliced", "joined", "unsliced", "unsplit"]


def unsplit(network: Network) -> Network:
    """Splitting blocks as blocks that distil beside the stream, with equal outputs.

    IMDN's split convolution is two convolutions, DL and RL, that share their input (RFDN,
    eqs. 3-4): its weights are cut row-wise. The given network stays.

    Raises:
        NotPossible: a split that has no such form.
    """
    weights = dict(network.state_dict())

    def edit(index: int, block: Part) -> Part:
        options = dict(block.options)
        if options.get("distillation") != "split":
            return block
        if options["convolution"].kind != "plain" or options["shallow_residual"]:
            raise NotPossible(
                f"block {index + 1}: a split after {options['convolution'].kind} convolutions"
                f"{' with shallow residuals' if options['shallow_residual'] else ''} cannot be "
                f"pruned; expected plain convolutions there"
            )
        for k, (distilled, refined) in enumerate(
            zip(options["distilled"], options["refined"], strict=True)
        ):
            sizes = (distilled, refined) if options["distilled_first"] else (refined, distilled)
            for sort in ("weight", "bias"):
                name = f"{prefix(index)}stages.{k}.conv.{sort}"
                cut = weights[name].split(sizes)
                kept, stream = cut if options["distilled_first"] else cut[::-1]
                weights[name] = stream
                weights[f"{prefix(index)}distill.{k}.{sort}"] = kept
        options |= {"distillation": "fdc", "distilled_first": True}
        options["distill_kernel"] = options["convolution"]["kernel"]
        return Part(block.kind, tuple(options.items()))

    return rebuilt(with_blocks(network.architecture, edit), weights, network)


@runtime_checkable
class Unsliced(Protocol):
    """A block written without slices."""

    def joined(self) -> Weights:
        """The weights under the names that they have in the block itself."""
        ...


def unsliced(network: Network) -> Network:
    """A copy whose DRN and IDN blocks are written without slices, with equal outputs."""
    twin = copy.deepcopy(network)
    for index, block in enumerate(twin.blocks):
        if isinstance(block, DistillingGroup):
            twin.blocks[index] = _UnslicedGroup(block)
        elif isinstance(block, EnhancementBlock):
            twin.blocks[index] = _UnslicedEnhancement(block)
    return twin


def joined(twin: Network, arch: Architecture) -> Network:
    """The network of ``arch`` with the weights of an `unsliced` one that was pruned to it."""
    weights = dict(twin.state_dict())
    for index, block in enumerate(twin.blocks):
        if isinstance(block, Unsliced):
            at = prefix(index)
            weights = {name: t for name, t in weights.items() if not name.startswith(at)}
            weights |= {at + name: tensor for name, tensor in block.joined().items()}
    network = build(arch)
    network.load_state_dict(weights)
    return network.train(twin.training)


class _UnslicedGroup(nn.Module):
    def __init__(self, block: DistillingGroup) -> None:
        super().__init__()
        self.first, self.fuse, self.activation = block.first, block.fuse, block.activation
        cuts = [_cut(_conv(conv), block.channels) for conv in block.second]
        self.stream = nn.ModuleList(stream for stream, _ in cuts)
        self.kept = nn.ModuleList(kept for _, kept in cuts)

    def forward(self, x: Tensor) -> Tensor:
        stream, kept = x, []
        for first, more, aside in zip(self.first, self.stream, self.kept, strict=True):
            y = self.activation(first(stream))
            stream = stream + more(y)
            kept.append(self.activation(aside(y)))
        out: Tensor = self.fuse(torch.cat([stream, *kept], dim=1)) + x
        return out

    def joined(self) -> Weights:
        weights = _named("first", self.first) | _named("fuse", self.fuse)
        for k, pair in enumerate(zip(self.stream, self.kept, strict=True)):
            weights |= _stacked(f"second.{k}", pair)
        return weights


class _UnslicedEnhancement(nn.Module):
    def __init__(self, block: EnhancementBlock) -> None:
        super().__init__()
        first, second, third, fourth, fifth, sixth = (_conv(conv) for conv in block.convs)
        groups = second.groups
        self.upper = nn.ModuleList([*_parts(first, groups), *_parts(second, groups)])
        self.kept, self.rest = _cut(third, block.distilled)
        self.lower = nn.ModuleList([*_parts(fourth, groups), *_parts(fifth, groups)])
        self.stream, self.aside = _cut(sixth, sixth.out_channels - block.distilled)
        self.compress, self.activation = block.compress, block.activation

    def forward(self, x: Tensor) -> Tensor:
        y = self._grouped(self.upper, x)
        kept, rest = self.activation(self.kept(y)), self.activation(self.rest(y))
        y = self._grouped(self.lower, rest)
        stream, aside = self.activation(self.stream(y)), self.activation(self.aside(y))
        out: Tensor = self.activation(self.compress(torch.cat([stream + x, aside + kept], dim=1)))
        return out

    def _grouped(self, convs: nn.ModuleList, x: Tensor) -> Tensor:
        half = len(convs) // 2
        parts = [
            self.activation(convs[half + k](self.activation(convs[k](x)))) for k in range(half)
        ]
        return torch.cat(parts, dim=1)

    def joined(self) -> Weights:
        weights = _named("compress", self.compress)
        for start, convs in ((0, self.upper), (3, self.lower)):
            half = len(convs) // 2
            weights |= _stacked(f"convs.{start}", convs[:half])
            weights |= _stacked(f"convs.{start + 1}", convs[half:])
        weights |= _stacked("convs.2", (self.kept, self.rest))
        return weights | _stacked("convs.5", (self.stream, self.aside))


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


def _conv(module: nn.Module) -> nn.Conv2d:
    assert isinstance(module, nn.Conv2d)
    return module


def _cut(conv: nn.Conv2d, at: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    return _rows(conv, 0, at), _rows(conv, at, conv.out_channels)


def _parts(conv: nn.Conv2d, count: int) -> list[nn.Conv2d]:
    # A grouped weight's rows hold their own group's inputs alone, so rows are all there is.
    size = conv.out_channels // count
    return [_rows(conv, k * size, (k + 1) * size) for k in range(count)]


def _named(name: str, module: nn.Module) -> Weights:
    return {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}


def _stacked(name: str, convs: Iterable[nn.Module]) -> Weights:
    each = [conv.state_dict() for conv in convs]
    return {f"{name}.{sort}": torch.cat([one[sort] for one in each]) for sort in ("weight", "bias")}
