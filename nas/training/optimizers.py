"""Which optimiser moves which parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nas.training.muon import Muon
from nas.training.recipe import Recipe
from search_spaces import Network

__all__ = ["Optimizers", "optimizers_for", "trainable"]


class Optimizers:
    """One optimiser or two that step together.

    Args:
        each: optimisers, and the recipe's field that is the step size of each.
    """

    def __init__(self, each: Sequence[tuple[torch.optim.Optimizer, str]]) -> None:
        self._each = tuple(each)

    def zero_grad(self) -> None:
        """Forgets the gradients."""
        for optimizer, _ in self._each:
            optimizer.zero_grad(set_to_none=True)

    def step(self, recipe: Recipe, number: int) -> None:
        """Step ``number`` (from 0) of the recipe."""
        pace = recipe.pace(number)
        for optimizer, rate in self._each:
            for group in optimizer.param_groups:
                group["lr"] = getattr(recipe, rate) * pace
            optimizer.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """Moments and settings, as tensors and plain values."""
        return [optimizer.state_dict() for optimizer, _ in self._each]

    def load_state_dict(self, content: Sequence[dict[str, Any]]) -> None:
        """Takes over what `state_dict` gave.

        Raises:
            ValueError: of other parameters or optimisers.
        """
        for (optimizer, _), state in zip(self._each, content, strict=True):
            optimizer.load_state_dict(state)


def optimizers_for(network: nn.Module, recipe: Recipe) -> Optimizers:
    """The optimisers that the recipe names, for everything trainable in the network."""
    filters = _trunk_filters(network) if recipe.optimizer == "muon" else []
    known = {id(one) for one in filters}
    others = [one for one in trainable(network) if id(one) not in known]
    each: list[tuple[torch.optim.Optimizer, str]] = []
    if others:
        adam = torch.optim.Adam(others, lr=recipe.learning_rate, fused=True)
        each.append((adam, "learning_rate"))
    if filters:
        muon = Muon(filters, lr=recipe.filter_rate, decay=recipe.filter_decay)
        each.append((muon, "filter_rate"))
    return Optimizers(each)


def trainable(network: nn.Module) -> list[Tensor]:
    """The parameters that a training changes, in the module's order."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _trunk_filters(network: nn.Module) -> list[Tensor]:
    """Filters of blocks and fusion that mix channels; what is depthwise has no matrix."""
    return [
        parameter
        for module in network.modules()
        if isinstance(module, Network)
        for part in (module.blocks, module.fusion)
        for parameter in trainable(part)
        if parameter.ndim == 4 and parameter.shape[1] > 1
    ]
