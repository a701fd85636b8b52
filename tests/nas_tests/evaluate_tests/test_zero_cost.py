from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from nas.evaluate.zero_cost import zero_cost_scores
from nas.predictor import ZERO_COST
from search_spaces import Architecture, build, preset

LR, HR = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)


class Line(nn.Module):
    """One weight w, y = w x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


def test_of_one_weight_they_are_the_closed_form() -> None:
    network, lr = Line(), torch.ones(1, 1, 4, 4)
    found = zero_cost_scores(network, lr, torch.full_like(lr, -100.0))
    # The loss is w + 100, so g is 1; w is drawn from a normal distribution with this seed.
    w = torch.empty(1, 1).normal_(generator=torch.Generator().manual_seed(0)).item()
    assert found["grad_norm"] == pytest.approx(0.0, abs=1e-6)
    assert found["snip"] == pytest.approx(math.log10(abs(w)), abs=1e-6)
    assert network.weight.item() == 0.0


def test_an_image_skip_stays_and_does_not_count() -> None:
    plain = {"scale": 2, "channels": 8, "blocks": ["spab"]}
    linear, bicubic = (
        zero_cost_scores(build(Architecture.from_dict({**plain, "image_skip": skip})), LR, HR)
        for skip in ("linear", "bicubic")
    )
    # Were the filters drawn anew and counted, noise would decide.
    for name in ZERO_COST:
        assert linear[name] == pytest.approx(bicubic[name], abs=0.05)


@pytest.mark.parametrize("name", ["imdn", "e_rfdn", "lmswn", "rlfn"])
def test_every_network_has_finite_scores_and_stays_as_it_is(name: str) -> None:
    network = build(preset(name, scale=2))
    before = copy.deepcopy(network.state_dict())
    scores = zero_cost_scores(network, LR, HR)
    assert set(scores) == set(ZERO_COST)
    assert all(math.isfinite(value) for value in scores.values())
    assert scores == zero_cost_scores(network, LR, HR)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
