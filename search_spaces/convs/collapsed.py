"""What re-parameterised convolutions have alike: several sets of weights, one convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["CollapsedConv"]


class CollapsedConv(nn.Module):
    """A zero-padded 3x3 convolution whose kernel is made of others at every step.

    The branches of a training form are linear, so their weights are summed, and not their outputs:
    a step costs what one of the plain convolution does, while the gradient flows back into each
    branch (SESR, Bhardwaj et al., MLSys 2022, section 3.2).
    """

    def kernel(self) -> tuple[Tensor, Tensor | None]:
        """Weight (out, in, 3, 3) and bias (out), if any, of the one convolution."""
        raise NotImplementedError

    def parallel(self) -> list[nn.Conv2d]:
        """The last convolution of every branch: they are summed."""
        return [child for child in self.children() if isinstance(child, nn.Conv2d)]

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, h, w) to (N, out, h, w)."""
        weight, bias = self.kernel()
        return F.conv2d(x, weight, bias, padding=1)

    @torch.no_grad()
    def fold(self) -> tuple[Tensor, Tensor | None]:
        """Weight (out, in, 3, 3) and bias (out), if any, of the plain 3x3 that it is in use."""
        weight, bias = self.kernel()
        return weight.clone(), None if bias is None else bias.clone()
