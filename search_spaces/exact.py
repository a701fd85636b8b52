"""Convolutions of the image itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Exact"]


class Exact(nn.Module):
    """A part that convolves the image: autocast's bf16 would leave it 8 bits."""

    def exactly(self, conv: nn.Module, x: Tensor) -> Tensor:
        """A convolution of ``x`` in the precision of its weights, outside autocast."""
        device = x.device.type
        if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                exact: Tensor = conv(x.to(next(conv.parameters()).dtype))
                return exact
        out: Tensor = conv(x)
        return out
