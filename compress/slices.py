"""Networks written without slices: what torch-pruning's dependency graph can follow.

What a block has for that it says itself: a static method ``unsplit``, which turns its options
and weights into those of a block without a split, and a method ``unsliced``, which makes a twin
with every width in a layer of its own.
"""

from __future__ import annotations

import copy
from typing import Any, Protocol, runtime_checkable

from compress.blocks import Weights, prefix, rebuilt, with_blocks
from search_spaces.architecture import Architecture
from search_spaces.blocks import BLOCKS
from search_spaces.errors import InputError, NotPossible
from search_spaces.network import Network, build
from search_spaces.part import Part

__all__ = ["Unsliced", "joined", "unslice", "unsliced", "unsplit"]


def unsplit(network: Network) -> Network:
    """Splitting blocks as blocks without a split, with equal outputs; the given network stays.

    Raises:
        NotPossible: a split that has no such form.
    """
    weights = dict(network.state_dict())

    def edit(index: int, block: Part) -> Part:
        form: Any = getattr(BLOCKS[block.kind], "unsplit", None)
        if form is None:
            return block
        at = prefix(index)
        own = {name: weights.pop(name) for name in list(weights) if name.startswith(at)}
        try:
            options, made = form(
                dict(block.options), {name.removeprefix(at): own[name] for name in own}
            )
        except InputError as error:
            raise NotPossible(f"block {index + 1}: {error}") from None
        weights.update({at + name: tensor for name, tensor in made.items()})
        return Part(block.kind, tuple(options.items()))

    return rebuilt(with_blocks(network.architecture, edit), weights, network)


@runtime_checkable
class Unsliced(Protocol):
    """A block written without slices."""

    def joined(self) -> Weights:
        """The weights under the names that they have in the block itself."""
        ...


def unsliced(network: Network) -> Network:
    """A copy whose slicing blocks are written without slices, with equal outputs."""
    return unslice(copy.deepcopy(network))


def unslice(network: Network) -> Network:
    """The network itself, its slicing blocks written without slices."""
    for index, block in enumerate(network.blocks):
        form: Any = getattr(block, "unsliced", None)
        if form is not None:
            network.blocks[index] = form()
    return network


def joined(twin: Network, arch: Architecture) -> Network:
    """The network of ``arch`` with the weights of an `unsliced` one that was pruned to it.

    Raises:
        NotPossible: weights that are no channels of a convolution do not fit.
    """
    weights = dict(twin.state_dict())
    for index, block in enumerate(twin.blocks):
        if isinstance(block, Unsliced):
            at = prefix(index)
            weights = {name: t for name, t in weights.items() if not name.startswith(at)}
            weights |= {at + name: tensor for name, tensor in block.joined().items()}
    network = build(arch)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise NotPossible(f"pruning left weights that do not fit: {reason}") from None
    return network.train(twin.training)
