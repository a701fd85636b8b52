"""Everything linear in a network as single convolutions, with equal outputs."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor

from compress.residuals import absorb_identities, absorb_scales
from search_spaces.cost import Price, price
from search_spaces.errors import NotPossible
from search_spaces.folding import fold as fold_convolutions
from search_spaces.network import Network

__all__ = ["TOLERANCE", "Folded", "difference", "fold"]

TOLERANCE = 1e-5
"""Largest difference of outputs, relative to the largest output (at least 1)."""

_ROUNDINGS = 10.0
# Odd and unequal, so that borders and rounding of coarse maps are part of the check.
_SIZES = ((24, 24), (33, 18), (7, 5))


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded network, its prices, and how far its outputs are from the network's own."""

    network: Network
    before: Price
    after: Price
    difference: float


def fold(network: Network) -> Folded:
    """Folds training forms, identities of shallow residuals and weights of residuals.

    Weights are folded in float64, the outputs of both networks compared in float32.

    Raises:
        NotPossible: the outputs differ by more than `TOLERANCE`, and by more than the network's
            own rounding in float32 explains (untrained deep networks amplify it).
    """
    double = copy.deepcopy(network).double()
    lean = absorb_scales(absorb_identities(fold_convolutions(double))).float()
    apart = 0.0 if _equal(network, lean) else difference(network, lean)
    if apart > TOLERANCE and apart > _ROUNDINGS * difference(network, double):
        raise NotPossible(
            f"folding changes the outputs by {apart:.2g}, expected at most {TOLERANCE:g}: "
            f"the network is kept as it was"
        )
    return Folded(lean, price(network.architecture), price(lean.architecture), apart)


def _equal(one: Network, other: Network) -> bool:
    """Whether there was nothing to fold: what passes through float64 comes back as it was."""
    if one.architecture != other.architecture:
        return False
    before, after = one.state_dict(), other.state_dict()
    return all(torch.equal(before[name], after[name]) for name in before)


@torch.no_grad()
def difference(one: Network, other: Network) -> float:
    """Largest difference of outputs on random images, relative to the largest output.

    Outputs within 0..1, which images are, are compared as they are.
    """
    worst = 0.0
    modes = one.training, other.training
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for height, width in _SIZES:
            image = torch.rand(1, one.architecture.colors, height, width)
            expected, found = _output(one, image), _output(other, image)
            if expected.shape != found.shape:
                raise NotPossible(
                    f"expected outputs of {tuple(expected.shape)}, got {tuple(found.shape)}"
                )
            scale = max(1.0, float(expected.abs().max()))
            worst = max(worst, float((expected - found).abs().max()) / scale)
    one.train(modes[0])
    other.train(modes[1])
    return worst


def _output(network: Network, image: Tensor) -> Tensor:
    parameter = next(network.parameters())
    output: Tensor = network.eval()(image.to(parameter))
    return output.to("cpu", torch.float64)
