from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from search_spaces import Architecture, build, preset, preset_names, price
from search_spaces.attention import ATTENTIONS
from search_spaces.convs import CONVS
from search_spaces.folding import fold, folded
from search_spaces.part import Part, Table
from tests.search_spaces_tests.test_parts import CHANNELS, SIZES, changes, features, starts


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


def foldable() -> list[Part]:
    kinds = (kind for kind in CONVS if hasattr(CONVS[kind], "fold"))
    plain = [{"kind": kind, **start} for kind in kinds for start in starts(CONVS, kind)]
    changed = [one | change for one in plain for change in changes(CONVS, one["kind"])]
    return [CONVS.parse(one) for one in [*plain, *changed]]


@pytest.mark.parametrize("part", foldable(), ids=lambda part: str(part.to_plain()))
@pytest.mark.parametrize("widths", [(8, 8), (8, 5), (3, 12)])
def test_fold_keeps_the_output(part: Part, widths: tuple[int, int]) -> None:
    module: Any = CONVS.make(part, *widths)
    weight, bias = module.fold()
    made = [weight, *([] if bias is None else [bias])]
    assert weight.shape == (widths[1], widths[0], 3, 3)
    before = {name: p.clone() for name, p in module.named_parameters()}
    for h, w in SIZES:
        x = features(widths[0], h, w)
        assert torch.allclose(F.conv2d(x, weight, bias, padding=1), module(x), atol=1e-5)
    for tensor in made:
        tensor.zero_()
    assert all(torch.equal(p, before[name]) for name, p in module.named_parameters())


def reading() -> list[Any]:
    return [
        pytest.param(table, {"kind": kind, **start}, id=kind)
        for table in (ATTENTIONS, CONVS)
        for kind in table
        for start in starts(table, kind)
        if hasattr(table[kind], "reads")
    ]


@pytest.mark.parametrize(("table", "plain"), reading())
def test_a_factor_of_the_input_goes_into_what_reads_it(table: Table, plain: Any) -> None:
    module: Any = table.make(table.parse(plain), *([CHANNELS] if table is ATTENTIONS else [8, 5]))
    x, factor = features(CHANNELS if table is ATTENTIONS else 8, 17, 20), 0.37
    before = module.eval()(x)
    with torch.no_grad():
        getattr(module, module.reads).weight.div_(factor)
    # A gate multiplies the input itself as well.
    expected = before * factor if table is ATTENTIONS else before
    assert torch.allclose(module(x * factor), expected, atol=1e-5)
