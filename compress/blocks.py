"""Blocks of an architecture as editable options, and weights under the names of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from search_spaces.architecture import Architecture
from search_spaces.blocks.unsliced import Weights
from search_spaces.errors import InputError, NotPossible
from search_spaces.network import Network, build
from search_spaces.part import Part

__all__ = ["Weights", "prefix", "rebuilt", "with_blocks"]


def prefix(block: int) -> str:
    """Where the weights of block number ``block`` (from 0) begin in a state dict."""
    return f"blocks.{block}."


def with_blocks(
    arch: Architecture, edit: Callable[[int, Part], Part], **changes: Any
) -> Architecture:
    """The architecture with every block edited, and fields of its own changed.

    Raises:
        NotPossible: the result is not valid.
    """
    fields = {name: getattr(arch, name) for name in type(arch).model_fields}
    fields |= {"blocks": [edit(k, block) for k, block in enumerate(arch.blocks)], **changes}
    try:
        return Architecture.from_dict(fields)
    except InputError as error:
        raise NotPossible(str(error)) from None


def rebuilt(arch: Architecture, weights: Weights, like: Network) -> Network:
    """The network of ``arch`` with ``weights``, in the mode, type and place of ``like``."""
    network = build(arch).to(next(like.parameters()))
    network.load_state_dict(weights)
    return network.train(like.training)
