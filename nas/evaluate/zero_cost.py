"""Scores of a network from one batch, without training, said to tell how well it will train.

Gradient norm and SNIP as in Abdelfattah et al., "Zero-cost proxies for lightweight NAS", 2021,
with the mean absolute error for a loss. Their synflow is left out: its products leave the range
of numbers in deep networks with attention. ``nas audit`` shows what the scores are worth.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["draw_weights", "zero_cost_scores"]


def zero_cost_scores(
    network: nn.Module, lr: Tensor, hr: Tensor, *, seed: int = 0
) -> dict[str, float]:
    """The scores named in ``nas.predictor.ZERO_COST``; the network stays as it is.

    ``grad_norm`` is the sum of the norm of every tensor's gradient g, and ``snip`` that of
    abs(g w) over all weights w; of both the logarithm to the base of ten.

    All weights are drawn anew, normally with the variance 1 / fan-in: a network whose last layer
    starts at zero has no gradients before it. Those of an image skip stay, and don't count: they
    enlarge from the start, and alike in every network.

    Args:
        network: whose layers count, on the CPU.
        lr: (n, colors, h, w) float32 in 0..1.
        hr: (n, colors, scale h, scale w), what the network should make of them.
        seed: of the weights.
    """
    drawn = copy.deepcopy(network)
    counted = [p for name, p in drawn.named_parameters() if not name.startswith("image_skip.")]
    draw_weights(counted, seed)
    weights = [p for p in counted if p.requires_grad]
    loss = F.l1_loss(drawn.train()(lr), hr)
    pairs = list(zip(weights, torch.autograd.grad(loss, weights), strict=True))
    return {
        "grad_norm": _log(sum(float(g.norm()) for _, g in pairs)),
        "snip": _log(sum(float((w.detach() * g).abs().sum()) for w, g in pairs)),
    }


@torch.no_grad()
def draw_weights(parameters: Iterable[Tensor], seed: int = 0) -> None:
    """Draws all filters anew, normally with the variance 1 / fan-in; other parameters stay."""
    generator = torch.Generator().manual_seed(seed)
    for weights in parameters:
        if weights.ndim > 1:
            weights.normal_(std=weights[0].numel() ** -0.5, generator=generator)


def _log(value: float) -> float:
    return math.log10(value) if value > 0 and math.isfinite(value) else -math.inf
