from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nas.training.muon import Muon
from nas.training.optimizers import Optimizers, optimizers_for, trainable
from nas.training.recipe import Recipe
from search_spaces import Network

MUON = Recipe(optimizer="muon", filter_rate=0.2, learning_rate=5e-4, warmup_steps=4)
MakeNetwork = Callable[..., Network]


def moved(optimizers: Optimizers) -> list[list[Tensor]]:
    return [
        [one for group in optimizer.param_groups for one in group["params"]]
        for optimizer, _ in optimizers._each
    ]


def names(network: nn.Module, parameters: list[Tensor]) -> set[str]:
    known = {id(parameter): name for name, parameter in network.named_parameters()}
    return {known[id(one)] for one in parameters}


def test_muon_moves_the_trunks_filters_and_adam_the_rest(make_network: MakeNetwork) -> None:
    network = make_network()
    adam, muon = (names(network, one) for one in moved(optimizers_for(network, MUON)))
    assert not adam & muon
    assert adam | muon == {name for name, _ in network.named_parameters()}
    assert all(name.startswith(("blocks.", "fusion.")) for name in muon)
    assert all(name.endswith("weight") for name in muon)
    assert {"stem.conv.weight", "image_skip.conv.weight", "upsampler.conv.weight"} <= adam
    # A depthwise filter has one row.
    depthwise = {n for n, p in network.named_parameters() if p.ndim == 4 and p.shape[1] == 1}
    assert "blocks.0.stages.0.depthwise.weight" in depthwise
    assert depthwise <= adam


def test_adam_moves_everything(make_network: MakeNetwork) -> None:
    network = make_network()
    (adam,) = moved(optimizers_for(network, Recipe()))
    assert names(network, adam) == {name for name, _ in network.named_parameters()}


def test_networks_inside_other_modules_are_found(make_network: MakeNetwork) -> None:
    whole = nn.ModuleDict({"student": make_network(), "adapter": nn.Conv2d(4, 6, 1)})
    adam, muon = (names(whole, one) for one in moved(optimizers_for(whole, MUON)))
    assert {name.split(".")[0] for name in muon} == {"student"}
    assert "adapter.weight" in adam


def test_other_modules_and_frozen_parameters(make_network: MakeNetwork) -> None:
    (adam,) = moved(optimizers_for(nn.Conv2d(3, 3, 3), MUON))
    assert len(adam) == 2
    network = make_network()
    network.blocks.requires_grad_(False)
    network.fusion.requires_grad_(False)
    (adam,) = moved(optimizers_for(network, MUON))
    assert len(adam) == len(trainable(network))
    network = make_network().requires_grad_(False)
    network.fusion.requires_grad_(True)
    for parameter in network.fusion.parameters():
        parameter.requires_grad_(parameter.ndim == 4)
    ((muon, rate),) = optimizers_for(network, MUON)._each
    assert isinstance(muon, Muon)
    assert rate == "filter_rate"


@pytest.mark.parametrize("step", [0, 1, 3, 4, 200])
def test_both_step_sizes_follow_the_recipe(step: int, make_network: MakeNetwork) -> None:
    network = make_network()
    optimizers = optimizers_for(network, MUON)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizers.step(MUON, step)
    pace = min(1.0, (step + 1) / 4)
    rates = [state["param_groups"][0]["lr"] for state in optimizers.state_dict()]
    assert rates == pytest.approx([5e-4 * pace, 0.2 * pace])
    optimizers.zero_grad()
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_state_of_other_optimisers_is_refused(make_network: MakeNetwork) -> None:
    network = make_network()
    one, two = (optimizers_for(network, recipe) for recipe in (Recipe(), MUON))
    with pytest.raises(ValueError, match="parameter group"):
        one.load_state_dict(two.state_dict())
    other = optimizers_for(make_network(blocks=["spab", "spab", "spab"]), MUON)
    with pytest.raises(ValueError, match="parameter group"):
        other.load_state_dict(two.state_dict())
