"""Momentum made orthogonal: the optimiser of a network's convolution filters."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Muon", "orthogonal"]

# Of the quintic that drives singular values towards 1 (Jordan et al. 2024): some remain between
# 0.7 and 1.2, which costs nothing; coefficients that converge would take twice the iterations.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5

# Of a 3x3 filter of 16 channels. Entries of wider ones move less, so that what a step adds to
# their outputs stays equal: at the same step size, 48 channels fall apart otherwise.
_MOST_REACH = 144


def orthogonal(matrices: Tensor) -> Tensor:
    """The nearest half-orthogonal matrices, roughly, by Newton-Schulz iterations.

    Args:
        matrices: (n, rows, columns) in float32; of each only the directions count.

    Returns:
        (n, rows, columns) with all singular values near 1; zero for zero.
    """
    upright = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if upright else matrices
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    a, b, c = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        square = torch.bmm(x, x.mT)
        factor = torch.baddbmm(square, square, square, beta=b, alpha=c)
        x = torch.baddbmm(x, factor, x, beta=a)
    return x.mT if upright else x


class Muon(torch.optim.Optimizer):
    """Every filter moves by its momentum with all singular values set to 1.

    A gradient of a convolution is dominated by few directions (the mean brightness above all);
    made orthogonal, all directions are learnt at one pace. A filter (out, in, k, k) is taken as a
    matrix (out, in * k * k); those of equal shape go through the iterations together. A step
    changes an entry by about ``lr`` times 0.01 in filters up to 3x3 of 16 channels, less in larger
    ones, and more in widening ones::

        lr * 0.01 * sqrt(min(144, max(out, in * k * k))) * sqrt(max(1, out / (in * k * k)))

    Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks", whose steps have
    one size in the spectral norm; below 16 channels the scaling is that of Liu et al. 2025, "Muon
    is scalable for LLM training" (arXiv 2502.16982), whose steps have one size an entry.

    Args:
        filters: parameters with two or more dimensions.
        lr: step size.
        momentum: of the gradients' running mean, 0 to 1, with Nesterov's look ahead.
        decay: of the filters, times ``lr`` the share that they lose at each step. Steps of one size
            make them grow for as long as they go on; wide networks fall apart of it in the end.
    """

    def __init__(
        self, filters: Iterable[Tensor], *, lr: float, momentum: float = 0.9, decay: float = 0.0
    ) -> None:
        super().__init__(filters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step of all filters that have a gradient."""
        for group in self.param_groups:
            filters = [one for one in group["params"] if one.grad is not None]
            if not filters:
                continue
            gradients = [one.grad for one in filters]
            for one in filters:
                if not self.state[one]:
                    self.state[one]["momentum"] = torch.zeros_like(one)
            means = [self.state[one]["momentum"] for one in filters]
            torch._foreach_lerp_(means, gradients, 1 - group["momentum"])
            ahead = torch._foreach_lerp(gradients, means, group["momentum"])
            by_shape = defaultdict(list)
            for one, direction in zip(filters, ahead, strict=True):
                by_shape[one.shape].append((_rows(one, one), _rows(direction, one)))
            for pairs in by_shape.values():
                rows, columns = pairs[0][0].shape
                moves = orthogonal(torch.stack([direction for _, direction in pairs]).float())
                reach = min(max(rows, columns), _MOST_REACH)
                size = 0.01 * math.sqrt(reach * max(1.0, rows / columns))
                matrices = [matrix for matrix, _ in pairs]
                torch._foreach_mul_(matrices, 1 - group["lr"] * group["decay"])
                torch._foreach_add_(matrices, moves.unbind(), alpha=-group["lr"] * size)


def _rows(values: Tensor, like: Tensor) -> Tensor:
    """(out, in * k * k), its columns in the order in which ``like`` lies in memory."""
    in_order = values if like.is_contiguous() else values.movedim(1, -1)
    # The parameter itself must be a view, which view() insists on; its gradient may be a copy.
    return in_order.view(len(like), -1) if values is like else in_order.reshape(len(like), -1)
