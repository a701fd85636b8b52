"""Activation functions: parameter-free, so they have no layers to price."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Gt, Lt
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer
from search_spaces.part import Part, Table

__all__ = ["ACTIVATIONS", "ActivationPart"]


class _Activation(nn.Module):
    @staticmethod
    def layers(**options: object) -> Iterator[Layer]:
        return iter(())


class LeakyReLU(_Activation):
    """LeakyReLU with slope 0.05 unless said, as in IMDN and RFDN."""

    def __init__(self, *, slope: Annotated[float, Gt(0), Lt(1)] = 0.05) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Works in place: every input of an activation here is a fresh tensor."""
        return F.leaky_relu(x, self.slope, inplace=True)


class ReLU(_Activation):
    """ReLU, as in MRDN."""

    def forward(self, x: Tensor) -> Tensor:
        """Works in place: every input of an activation here is a fresh tensor."""
        return F.relu(x, inplace=True)


class SiLU(_Activation):
    """SiLU, as in SPAN."""

    def forward(self, x: Tensor) -> Tensor:
        """Not in place: its gradient needs the input."""
        return F.silu(x)


class GELU(_Activation):
    """GELU, as in BSRN."""

    def forward(self, x: Tensor) -> Tensor:
        """Not in place: its gradient needs the input."""
        return F.gelu(x)


ACTIVATIONS = Table(
    "activation", {"leaky_relu": LeakyReLU, "relu": ReLU, "silu": SiLU, "gelu": GELU}
)
ActivationPart = Annotated[Part, ACTIVATIONS]
