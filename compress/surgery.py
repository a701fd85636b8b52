"""One network pruned once, to widths that fit a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from compress.dependencies import Dependencies, widths_of
from compress.fold import TOLERANCE, difference, fold
from compress.refit import refit
from compress.slices import Unsliced, joined, unslice, unsliced, unsplit
from compress.widths import Width, with_widths
from search_spaces.architecture import Architecture
from search_spaces.errors import NotPossible, first_line
from search_spaces.inner import Place
from search_spaces.network import Network, build, mispriced

__all__ = ["cut", "prunable", "scores_of"]

_CHECK_SIDE_PX = 24


def prunable(network: Network) -> Network:
    """The network in the form that pruning works on, with equal outputs.

    Folded, splits as convolutions of their own. The given network stays.

    Raises:
        NotPossible: it has no such form.
    """
    folded = fold(network)
    form = unsplit(folded.network)
    if form.architecture == folded.network.architecture:
        return folded.network.eval()
    if difference(network, form) > max(TOLERANCE, 10 * folded.difference):
        raise NotPossible("the network's outputs change in its form for pruning")
    return form.eval()


def scores_of(
    network: Network,
    widths: Sequence[Width],
    measure: Callable[[Any], Tensor],
    gradients: Callable[[Network], None] | None = None,
) -> tuple[dict[Place, list[float]], dict[str, Tensor]]:
    """Importance for every prunable width, ascending, and for every group of channels.

    The n-th score of a width is the mean of the n-th of its groups: they lose as many
    channels each, though every group chooses its own.

    Args:
        network: in prunable form.
        widths: its prunable widths.
        measure: of `compress.importance.measure`.
        gradients: leaves gradients on a network's weights, for measures that need them.
    """
    twin = unsliced(network)
    dependencies = Dependencies(twin)
    if gradients is not None:
        gradients(twin)
    found = {name: measure(group) for name, group in dependencies.groups.items()}
    owners = _owners(network.architecture, tuple(widths))
    ascending: dict[Place, list[float]] = {}
    for width in widths:
        groups = [found[name].sort().values for name in owners[width.place] if name in found]
        if not groups:
            raise NotPossible(
                f"{width.name}: lowering it makes no layer narrower; expected widths() of the "
                f"block to name widths of its layers"
            )
        curves = [[float(g[k * len(g) // width.now]) for k in range(width.now)] for g in groups]
        ascending[width.place] = [sum(column) / len(column) for column in zip(*curves, strict=True)]
    return ascending, found


def cut(
    network: Network,
    importance: Mapping[str, Tensor],
    target: Architecture,
    images: Tensor | None = None,
) -> Network:
    """The network with the least important channels taken out, down to ``target``'s widths.

    Args:
        network: in prunable form; it stays.
        importance: of every group of channels.
        target: what `compress.widths.with_widths` makes of its architecture.
        images: (N, colors, h, w) in 0..1, on which what is left is fitted to the network's
            own features; None leaves the weights as they are.

    Raises:
        NotPossible: what is left is not the network of ``target``, in shape, price or output.
    """
    twin = unsliced(network)
    dependencies = Dependencies(twin)
    wanted = _layer_widths(target)
    gone = {
        name: set(scores.argsort(stable=True)[: max(0, len(scores) - wanted[name])].tolist())
        for name, scores in importance.items()
    }
    kept = dependencies.kept(gone)
    for name, channels in gone.items():
        dependencies.prune(name, sorted(channels))
    whole = unsliced(network)
    _check_channels(twin, whole, kept, wanted)
    _output(twin, _image(network))
    if images is not None:
        refit(twin, whole, kept, images)
    twin.zero_grad(set_to_none=True)
    pruned = joined(twin, target).eval()
    _check(twin, pruned, network)
    return pruned


def _check_channels(
    twin: Network, whole: Network, kept: Mapping[str, list[int]], wanted: Mapping[str, int]
) -> None:
    """Every layer has the planned width, and the very channels that were to stay."""
    if widths_of(twin) != wanted:
        raise NotPossible(
            "pruning left other widths than planned: a part does not follow the trunk"
        )
    layers = dict(whole.named_modules())
    for name, layer in twin.named_modules():
        before = layers.get(name)
        if isinstance(layer, nn.Conv2d) and isinstance(before, nn.Conv2d):
            if layer.bias is None or before.bias is None:
                continue
            if not torch.equal(layer.bias, before.bias[kept[name]]):
                raise NotPossible(f"pruning left other channels of {name} than planned")


def _check(twin: Network, pruned: Network, network: Network) -> None:
    """The rebuilt network does what the pruned modules do, and costs what its price says."""
    with torch.no_grad():
        image = _image(network)
        expected, found = _output(twin, image), pruned(image)
    if found.shape != network(image).shape:
        raise NotPossible(f"pruning changed the output's shape to {tuple(found.shape)}")
    # A twin sums in another order where the block's own convolution does more at once.
    exact = not any(isinstance(block, Unsliced) for block in twin.blocks)
    same = torch.equal(expected, found) if exact else torch.allclose(expected, found, 1e-4, 1e-4)
    if not same:
        raise NotPossible("the rebuilt network does not give the pruned one's outputs")
    if wrong := mispriced(pruned, (_CHECK_SIDE_PX, _CHECK_SIDE_PX)):
        raise NotPossible(f"the pruned network has {wrong}")


def _image(network: Network) -> Tensor:
    return torch.rand(1, network.architecture.colors, _CHECK_SIDE_PX, _CHECK_SIDE_PX)


@torch.no_grad()
def _output(twin: Network, image: Tensor) -> Tensor:
    try:
        output: Tensor = twin.eval()(image)
    except RuntimeError as error:
        raise NotPossible(
            f"a block cannot be pruned as it is written ({first_line(error)}); one that "
            f"slices its channels by numbers of its own needs a method unsliced"
        ) from None
    return output


def _layer_widths(arch: Architecture) -> dict[str, int]:
    with torch.device("meta"):
        return widths_of(unslice(build(arch)))


@lru_cache(maxsize=32)
def _owners(arch: Architecture, widths: tuple[Width, ...]) -> dict[Place, list[str]]:
    """The layers whose width each place sets, found by lowering it."""
    before = _layer_widths(arch)
    owners: dict[Place, list[str]] = {width.place: [] for width in widths}
    kinds: dict[Place, list[Width]] = {}
    for width in widths:
        # One width a block at a time: what changes in a block is that width's.
        kinds.setdefault(width.place[2:], []).append(width)
    for several in kinds.values():
        lowered = with_widths(arch, {w.place: w.above(w.least - 1) or w.least for w in several})
        after = _layer_widths(lowered)
        for width in several:
            at = f"blocks.{width.place[1]}." if len(width.place) > 1 else ""
            owners[width.place] += [
                name for name, n in after.items() if n != before[name] and name.startswith(at)
            ]
    return owners
