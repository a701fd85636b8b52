from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from compress.fold import TOLERANCE, difference, fold
from search_spaces import Architecture, Network, build, preset
from search_spaces.extensions import import_parts

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "my_blocks.py"


def small(scale_numbers: bool = True, **changes: Any) -> Network:
    block = {
        "kind": "distillation",
        "repeat": 3,
        "stages": 3,
        "distillation": "fdc",
        "distilled": 4,
        "shallow_residual": True,
        "residual": "weighted",
        "attention": {"kind": "esa", "width": 4},
    }
    fusion = changes.pop("fusion", "concat")
    fields = {"fusion": fusion, "upsampler": changes.pop("upsampler", "pixelshuffle")}
    data = {"scale": 2, "channels": 8, "blocks": [{**block, **changes}], **fields}
    network = build(Architecture.from_dict(data)).eval()
    if scale_numbers:
        for name, parameter in network.named_parameters():
            if name.endswith(".weights"):
                parameter.data = torch.rand(2) + 0.5
    return network


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("name", ["e_rfdn", "e_rfdn_rep", "lmswn", "srb", "span", "sesr_m3"])
def test_presets_keep_their_outputs(name: str) -> None:
    network = build(preset(name, 2)).eval()
    folded = fold(network)
    assert folded.difference <= TOLERANCE
    assert folded.after.params <= folded.before.params
    assert difference(network, folded.network) == folded.difference


def test_rep_becomes_the_network_that_it_stands_for() -> None:
    folded = fold(build(preset("e_rfdn_rep", 4)))
    assert folded.before.params == 469_148
    assert folded.after.params == 433_448
    kinds = {block["convolution"].kind for block in folded.network.architecture.blocks}
    assert kinds == {"plain"}


def test_lmswn_loses_its_adaptive_weights_too() -> None:
    folded = fold(build(preset("lmswn", 4)))
    # Two numbers a block fewer than its folded convolutions have.
    assert folded.after.params == 490_032 - 2 * 6


@pytest.mark.parametrize("fusion", ["concat", "chain", "none"])
@pytest.mark.parametrize(
    "attention",
    [None, {"kind": "esa", "width": 4}, {"kind": "cca", "width": 2}, "pa", "epa", "max"],
)
def test_weighted_residuals_become_sums(fusion: str, attention: Any) -> None:
    if attention == "max":
        import_parts([EXAMPLE])
    network = small(fusion=fusion, attention=attention)
    folded = fold(network)
    assert {b["residual"] for b in folded.network.architecture.blocks} == {"output"}
    assert not any(b["shallow_residual"] for b in folded.network.architecture.blocks)
    assert folded.difference <= TOLERANCE
    assert folded.after.params == folded.before.params - 2 * 3


def test_a_negative_number_stays_behind_a_standard_deviation() -> None:
    network = small(attention={"kind": "cca", "width": 2})
    parameters = dict(network.named_parameters())
    parameters["blocks.1.weights"].data = torch.tensor([1.0, -1.0])
    folded = fold(network)
    assert {b["residual"] for b in folded.network.architecture.blocks} == {"weighted"}
    assert folded.difference <= TOLERANCE


def test_a_number_near_zero_stays() -> None:
    network = small()
    dict(network.named_parameters())["blocks.0.weights"].data = torch.tensor([1.0, 0.0])
    folded = fold(network)
    assert {b["residual"] for b in folded.network.architecture.blocks} == {"weighted"}


@pytest.mark.parametrize(
    ("upsampler", "residual"),
    [({"kind": "pixelshuffle", "inner": 6}, "output"), ("deconv", "output"), ("near", "weighted")],
)
def test_an_upsampler_that_reads_the_trunk_takes_its_scale(upsampler: Any, residual: str) -> None:
    folded = fold(small(fusion="none", upsampler=upsampler))
    assert {b["residual"] for b in folded.network.architecture.blocks} == {residual}
    assert folded.difference <= TOLERANCE


def test_an_identity_before_the_activation_goes_into_its_convolution() -> None:
    folded = fold(build(preset("sesr_m3", 2)))
    assert {b["residual"] for b in folded.network.architecture.blocks} == {"none"}
    assert folded.difference <= TOLERANCE
    assert folded.after == folded.before


def test_blueprint_convolutions_keep_their_residuals() -> None:
    network = build(preset("e_rfdn_bs", 2))
    assert fold(network).network.architecture == network.architecture


def test_the_given_network_stays() -> None:
    network = small()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    architecture = network.architecture
    fold(network)
    assert network.architecture is architecture
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
