from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from search_spaces import Architecture, build, preset, preset_names, price
from search_spaces.folding import fold, folded


def of(convolution: str | Mapping[str, Any]) -> Architecture:
    blocks: list[dict[str, Any]] = [
        {"kind": "spab", "convolution": convolution},
        {
            "kind": "distillation",
            "stages": 3,
            "distillation": "fdc",
            "distilled": 4,
            "refined": [8, 6],
            "convolution": convolution,
        },
    ]
    return Architecture.from_dict({"scale": 2, "channels": 8, "blocks": blocks})


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_folds_to_the_same_output(name: str) -> None:
    torch.manual_seed(0)
    network = build(preset(name, 2)).double().eval()
    lean = fold(network)
    image = torch.rand(1, network.architecture.colors, 19, 16, dtype=torch.float64)
    with torch.inference_mode():
        assert torch.allclose(lean(image), network(image), atol=1e-9, rtol=1e-9)
    assert lean.architecture == folded(network.architecture)
    assert sum(p.numel() for p in lean.parameters()) == price(lean.architecture).params


@pytest.mark.parametrize("name", ["lmswn", "e_rfdn_rep"])
def test_in_float32_the_difference_is_rounding(name: str) -> None:
    torch.manual_seed(0)
    network = build(preset(name, 4)).eval()
    image = torch.rand(1, 3, 17, 20)
    with torch.inference_mode():
        expected = network(image)
        assert (fold(network)(image) - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("convolution", ["rep", "asymmetric"])
def test_training_forms_become_plain(convolution: str) -> None:
    torch.manual_seed(0)
    network = build(of(convolution)).eval()
    lean = fold(network)
    assert lean.architecture == of("plain")
    assert lean.architecture.hash != network.architecture.hash
    image = torch.rand(2, 3, 9, 11)
    with torch.inference_mode():
        assert torch.allclose(lean(image), network(image), atol=1e-5)


@pytest.mark.parametrize("convolution", ["plain", "bsconv"])
def test_others_stay(convolution: str) -> None:
    assert folded(of(convolution)) == of(convolution)


@pytest.mark.parametrize(("scale", "params"), [(2, 471_852), (3, 479_427), (4, 490_032)])
def test_lmswn_has_its_folded_price(scale: int, params: int) -> None:
    assert price(folded(preset("lmswn", scale))).params == params


@pytest.mark.parametrize(("scale", "macs_g"), [(2, 99.15), (3, 44.77), (4, 25.83)])
def test_lmswn_has_its_folded_multi_adds(scale: int, macs_g: float) -> None:
    assert price(folded(preset("lmswn", scale))).macs / 1e9 == pytest.approx(macs_g, abs=0.01)


def test_the_given_network_stays() -> None:
    network = build(of("rep"))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    lean = fold(network)
    assert lean.training
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
