from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from compress.calibration import Array, crops
from compress.ends import ends
from compress.equalize import Scales, equalize
from compress.rounding import rounded_weights
from nas.data.embedded import embedded_photos
from nas.deploy.int8_graph import prepare
from nas.deploy.onnx_file import export_onnx, open_session
from search_spaces import Architecture, Network, build
from tests.compress_tests.quantized import tiny


@pytest.fixture(scope="module")
def images() -> list[Array]:
    return crops(embedded_photos()[0][:4], 2, count=3, side=24)


def uneven(network: Network) -> Network:
    """With channels of very different sizes."""
    torch.manual_seed(0)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                factors = 0.02 + torch.rand(module.out_channels) ** 8
                module.weight *= 4 * factors[:, None, None, None]
    return network


def graph(network: Network, folder: Path) -> onnx.ModelProto:
    export_onnx(network, folder / "plain.onnx")
    return prepare(folder / "plain.onnx", folder / "float.onnx")


def silu(**changes: Any) -> Network:
    block = {"kind": "spab", "repeat": 2}
    fields = {"scale": 2, "channels": 8, "activation": "silu", "blocks": [block], **changes}
    torch.manual_seed(0)
    return build(Architecture.from_dict(fields)).eval()


def values(model: onnx.ModelProto) -> dict[str, Array]:
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}


@pytest.mark.parametrize("network", [tiny, silu], ids=["esa", "spab"])
def test_the_graph_computes_what_it_did(network: Any, images: list[Array], tmp_path: Path) -> None:
    made = uneven(network())
    model = graph(made, tmp_path)
    before = values(model)
    scales = equalize(model, images)
    onnx.save(model, str(tmp_path / "other.onnx"))
    for image in images:
        expected, found = (
            open_session(tmp_path / name)(image) for name in ("float.onnx", "other.onnx")
        )
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))
    after = values(model)
    assert scales
    for name, one in scales.items():
        weight = before[f"{name}.weight"] * one.inputs[..., None, None]
        np.testing.assert_allclose(
            after[f"{name}.weight"], weight * one.outputs[:, None, None, None], rtol=1e-5
        )
    assert max(one.outputs.max() for one in scales.values()) > 2


def test_what_takes_factors_back_is_exact_in_8_bits(images: list[Array], tmp_path: Path) -> None:
    model = graph(uneven(silu()), tmp_path)
    equalize(model, images)
    factors = [by for name, by in values(model).items() if name.endswith("_by")]
    assert factors
    for by in factors:
        levels = by / by.max() * 255
        np.testing.assert_allclose(levels, np.round(levels), atol=1e-3)


@pytest.mark.parametrize(("activation", "size"), [("silu", 8), ("relu", 5)])
def test_what_activations_hold_back_makes_no_channel_large(
    activation: str, size: float, images: list[Array], tmp_path: Path
) -> None:
    network = silu(activation=activation, blocks=[{"kind": "plain", "convolutions": 1}])
    layer, centre = "blocks.0.convs.0.conv", torch.zeros(3, 3)
    centre[1, 1] = 1
    brightest = float(max(image.mean(1).max() for image in images))
    # The first channel is at -100 where it is largest.
    most = torch.tensor([-100.0, 40, 1, 1, 1, 1, 1, 1])
    with torch.no_grad():
        weights = dict(network.named_parameters())
        weights["stem.conv.weight"].copy_(centre / 3)
        weights[f"{layer}.weight"].copy_(centre * most[:, None, None, None] / 8 / brightest)
    scales = equalize(graph(network, tmp_path), images)
    factors = scales[layer].outputs
    assert factors[0] == pytest.approx(40 / size, rel=0.05)
    assert factors[1] == 1
    # However small: more would take bits off the weights that undo it.
    np.testing.assert_allclose(factors[2:], 8, rtol=0.02)


def test_alike_channels_stay(images: list[Array], tmp_path: Path) -> None:
    network = silu(activation="relu", blocks=[{"kind": "plain", "convolutions": 2}])
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.fill_(0.1)
                nn.init.zeros_(module.bias) if module.bias is not None else None
    model = graph(network, tmp_path)
    assert equalize(model, images) == {}


def test_weights_are_rounded_as_they_are_scaled(images: list[Array]) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 4, 3, padding=1)
    inputs, outputs = np.array([[1, 0.5, 0.25]] * 4, np.float32), np.arange(1, 5, dtype=np.float32)
    (found,) = rounded_weights(
        nn.Sequential(layer), images, {"0": Scales(inputs, outputs)}
    ).values()
    weight = layer.weight.detach().numpy() * inputs[..., None, None]
    weight = weight * outputs[:, None, None, None]
    step = np.abs(weight).max((1, 2, 3), keepdims=True) / 127
    np.testing.assert_allclose(found / step, np.round(found / step), atol=1e-3)
    assert np.abs(found - weight).max() < 8 * step.max()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("stem.conv", "fusion.conv", "upsampler.conv")),
        ({"fusion": "none"}, ("stem.conv", "upsampler.conv")),
    ],
)
def test_ends_lie_before_and_behind_all_activations(
    fields: dict[str, Any], expected: tuple[str, ...], tmp_path: Path
) -> None:
    assert ends(graph(silu(**fields), tmp_path)) == expected
