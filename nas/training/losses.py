"""What a training makes smaller: how far images are from the photos, and from a teacher's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.training.recipe import Recipe
from search_spaces import Network

__all__ = ["Objective", "charbonnier", "l1", "objective_of"]

Objective = Callable[[nn.Module, Tensor, Tensor], Tensor]

_ROUND = 1e-3


def l1(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute error of the network's output, in float32."""
    return F.l1_loss(network(lr).float(), hr)


def charbonnier(output: Tensor, wanted: Tensor) -> Tensor:
    """Mean of sqrt(difference^2 + 0.001^2): l1 that is round at 0, for values in 0..1.

    Lai et al. 2017, "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
    eq. 4.
    """
    return torch.hypot(output - wanted, output.new_tensor(_ROUND)).mean()


_DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": F.l1_loss,
    "l2": F.mse_loss,
    "charbonnier": charbonnier,
}


def objective_of(recipe: Recipe, teacher: Network | None = None) -> Objective:
    """The recipe's loss, in float32.

    Args:
        recipe: ``loss``, and of a training with a teacher ``teacher_share``.
        teacher: as `nas.training.teacher` loads it; its answers are held to be 0..1, as photos are.
    """
    distance, share = _DISTANCES[recipe.loss], recipe.teacher_share

    def alone(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        return distance(network(lr).float(), hr)

    if teacher is None or share == 0:
        return alone

    def taught(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        with torch.no_grad():
            answer = teacher(lr).float().clamp(0, 1)
        output = network(lr).float()
        return (1 - share) * distance(output, hr) + share * distance(output, answer)

    return taught
