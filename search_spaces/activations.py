"""Activation functions. A new one: one class here, one line in the table below.

A class takes ``(channels, *, options)``, the width at the place where it stands, and lists its
learned numbers, if it has any, in ``layers(channels, *, options)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Gt, Lt
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layer import Layer, scalars
from search_spaces.part import Part, Table

__all__ = ["ACTIVATIONS", "ActivationPart"]


class _Activation(nn.Module):
    inplace = True
    """By torch's name for it: whether those that can overwrite their input do so."""

    def __init__(self, channels: int) -> None:
        super().__init__()

    @staticmethod
    def layers(channels: int, **options: object) -> Iterator[Layer]:
        return iter(())


class LeakyReLU(_Activation):
    """LeakyReLU with slope 0.05 unless said, as in IMDN and RFDN."""

    def __init__(self, channels: int, *, slope: Annotated[float, Gt(0), Lt(1)] = 0.05) -> None:
        super().__init__(channels)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Works in place: every input of an activation here is a fresh tensor."""
        return F.leaky_relu(x, self.slope, inplace=self.inplace)


class PReLU(nn.Module):
    """LeakyReLU with a learned slope for each channel, 0.25 at first (He et al., ICCV 2015)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.slopes = nn.PReLU(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Not in place: its gradient needs the input."""
        out: Tensor = self.slopes(x)
        return out

    @staticmethod
    def layers(channels: int) -> Iterator[Layer]:
        """The slopes, which count as parameters."""
        yield scalars("slopes", channels)


class ReLU(_Activation):
    """ReLU, as in MRDN."""

    def forward(self, x: Tensor) -> Tensor:
        """Works in place: every input of an activation here is a fresh tensor."""
        return F.relu(x, inplace=self.inplace)


class Tanh(_Activation):
    """Hyperbolic tangent, as in ESPCN."""

    def forward(self, x: Tensor) -> Tensor:
        """Works in place: its gradient needs the output alone."""
        return x.tanh_() if self.inplace else x.tanh()


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
    "activation",
    {
        "leaky_relu": LeakyReLU,
        "prelu": PReLU,
        "relu": ReLU,
        "tanh": Tanh,
        "silu": SiLU,
        "gelu": GELU,
    },
)
ActivationPart = Annotated[Part, ACTIVATIONS]
