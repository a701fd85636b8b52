"""Geometric self-ensemble."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["SelfEnsemble"]


class SelfEnsemble(nn.Module):
    """The mean of a network's outputs over the 8 flips and quarter turns of its input.

    EDSR (Lim et al., CVPRW 2017), section 3.4. Eight times the work.

    Args:
        network: takes and gives (N, C, h, w).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, h, w) to (N, C, h * scale, w * scale)."""
        total: Tensor | None = None
        for turns in range(4):
            turned = torch.rot90(image, turns, (-2, -1))
            for flipped in (False, True):
                y = self.network(turned.flip(-1) if flipped else turned)
                y = torch.rot90(y.flip(-1) if flipped else y, -turns, (-2, -1))
                total = y if total is None else total + y
        assert total is not None
        return total / 8
