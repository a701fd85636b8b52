"""What a training makes smaller: how far images are from the photos, and from a teacher's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.training.recipe import Loss, Recipe
from search_spaces import Network

__all__ = [
    "DISTANCES",
    "Distance",
    "Objective",
    "charbonnier",
    "fft",
    "gradient",
    "l1",
    "objective_of",
]

Objective = Callable[..., Tensor]
"""(network, lr, hr) -> scalar; (network, lr, hr, answer) where a teacher's answers are known."""

Distance = Callable[[Tensor, Tensor], Tensor]
"""(output, wanted) -> scalar; both are (N, C, H, W) in 0..1."""

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


def fft(output: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of the 2-D spectra, over real and imaginary parts.

    The transform is not normalised, so that the figure grows with the side of the patches; beside
    l1 it has weights of 0.05 to 0.1. Cho et al. 2021, "Rethinking Coarse-to-Fine Approach in Single
    Image Deblurring" (github.com/chosj95/MIMO-UNet, train.py), but on the half of the spectrum of
    which the other one is the mirror image, as super-resolution is trained in
    github.com/sunny2109/SAFMN (losses.py).
    """
    # The difference of two spectra is the spectrum of the difference: one transform, not two.
    return torch.view_as_real(torch.fft.rfft2(output - wanted)).abs().mean()


def gradient(output: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of the steps from each pixel to the next, across and down.

    The mean of both directions. Eigen and Fergus 2015, "Predicting Depth, Surface Normals and
    Semantic Labels with a Common Multi-Scale Convolutional Architecture", the last term of eq. 1,
    with absolute values in place of squares.
    """
    apart = output - wanted
    return (apart.diff(dim=-1).abs().mean() + apart.diff(dim=-2).abs().mean()) / 2


DISTANCES: dict[Loss, Distance] = {
    "l1": F.l1_loss,
    "l2": F.mse_loss,
    "charbonnier": charbonnier,
    "fft": fft,
    "gradient": gradient,
}
"""By the names that recipes give them."""


def objective_of(recipe: Recipe, teacher: Network | None = None) -> Objective:
    """The recipe's loss, or the weighted sum of its losses, in float32.

    Args:
        recipe: ``loss``, and of a training with a teacher ``teacher_share``.
        teacher: as `nas.training.teacher` loads it, asked where its answer is not given; its
            answers are held to be 0..1, as photos are.
    """
    distance, share = _distance_of(recipe), recipe.teacher_share

    def measure(network: nn.Module, lr: Tensor, hr: Tensor, answer: Tensor | None = None) -> Tensor:
        if answer is None and teacher is not None and share > 0:
            with torch.no_grad():
                answer = teacher(lr).float().clamp(0, 1)
        output = network(lr).float()
        if answer is None:
            return distance(output, hr)
        return (1 - share) * distance(output, hr) + share * distance(output, answer)

    return measure


def _distance_of(recipe: Recipe) -> Distance:
    if isinstance(recipe.loss, str):
        return DISTANCES[recipe.loss]
    parts = [(weight, DISTANCES[name]) for name, weight in recipe.losses.items()]

    def weighed(output: Tensor, wanted: Tensor) -> Tensor:
        return torch.stack([weight * part(output, wanted) for weight, part in parts]).sum()

    return weighed
