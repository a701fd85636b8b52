"""The network around its parts: range, mean, image skip, sizes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces import Architecture, InputError, Network, build
from search_spaces.network import mispriced

BLOCKS = [
    {"kind": "distillation", "stages": 2, "distillation": "fdc", "distilled": 4},
    {"kind": "spab", "repeat": 2},
]


def network(**fields: Any) -> Network:
    plain = {"scale": 2, "channels": 8, "blocks": BLOCKS, **fields}
    return build(Architecture.from_dict(plain)).eval()


def inner(net: Network, x: Tensor) -> Tensor:
    """Stem, blocks, fusion, upsampler: nothing else."""
    features = net.stem(x)
    outputs, y = [], features
    for block in net.blocks:
        y = block(y)
        outputs.append(y)
    out: Tensor = net.upsampler(net.fusion(features, outputs), x)
    return out


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("fields", [{}, {"value_range": 255, "mean": [0.4, 0.5, 0.6]}])
def test_untrained_with_image_skip_is_the_plain_upscale(
    scale: int, mode: str, fields: dict[str, Any]
) -> None:
    net = network(scale=scale, image_skip=mode, **fields)
    image = torch.rand(2, 3, 5, 7)
    corners = None if mode == "nearest" else False
    expected = F.interpolate(image, scale_factor=scale, mode=mode, align_corners=corners)
    with torch.no_grad():
        assert torch.equal(net(image), expected)


@pytest.mark.parametrize("skip", ["nearest", "anchor", "bilinear", "bicubic", "linear"])
@pytest.mark.parametrize("upsampler", ["pixelshuffle", "near", "deconv"])
@pytest.mark.parametrize("fields", [{}, {"value_range": 255, "mean": [0.4, 0.5, 0.6]}])
def test_at_scale_1_an_untrained_network_gives_its_input(
    skip: str, upsampler: str, fields: dict[str, Any]
) -> None:
    net = network(scale=1, image_skip=skip, upsampler=upsampler, **fields)
    image = torch.rand(2, 3, 5, 7)
    with torch.no_grad():
        torch.testing.assert_close(net(image), image, atol=1e-6, rtol=0)
    assert mispriced(net, (6, 8)) == ""


def test_at_scale_1_all_that_adds_the_input_is_one_network() -> None:
    kinds = ("nearest", "anchor", "bilinear", "bicubic")
    assert len({network(scale=1, image_skip=kind).architecture.hash for kind in kinds}) == 1
    others = {network(scale=1, image_skip=kind).architecture.hash for kind in ("none", "linear")}
    assert len(others) == 2


@pytest.mark.parametrize("fields", [{}, {"value_range": 255, "mean": [0.4, 0.5, 0.6]}])
def test_untrained_with_a_linear_skip_is_its_enlargement(fields: dict[str, Any]) -> None:
    net = network(image_skip="linear", **fields)
    image = torch.rand(2, 3, 5, 7)
    with torch.no_grad():
        assert torch.equal(net(image), net.image_skip(image))


@pytest.mark.parametrize("upsampler", ["pixelshuffle", "deconv"])
def test_image_skip_leaves_a_gradient_to_start_with(upsampler: str) -> None:
    net = network(image_skip="bilinear", upsampler=upsampler).train()
    (net(torch.rand(1, 3, 6, 6)) - 1).abs().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.upsampler.parameters())


def test_without_image_skip_the_last_convolution_is_not_zero() -> None:
    assert all(p.any() for p in network().upsampler.parameters() if p.ndim > 1)


@pytest.mark.parametrize("mean", [None, [0.4488, 0.4371, 0.404]])
@pytest.mark.parametrize("value_range", [1, 255])
@pytest.mark.parametrize("skip", ["none", "bilinear"])
def test_range_and_mean_are_applied_inside(
    value_range: int, mean: list[float] | None, skip: str
) -> None:
    net = network(value_range=value_range, mean=mean, image_skip=skip)
    with torch.no_grad():
        for p in net.upsampler.parameters():
            p.normal_(std=0.1)
        image = torch.rand(1, 3, 9, 6)
        shift = torch.tensor(mean or [0.0] * 3).view(1, 3, 1, 1)
        shifted = image - shift
        expected = inner(net, shifted * value_range) / value_range + shift
        if skip == "bilinear":
            # Skip and network see the same shifted image.
            expected = expected + F.interpolate(shifted, scale_factor=2, mode="bilinear")
        assert torch.allclose(net(image), expected, atol=1e-5)


def test_an_output_that_is_taken_as_it_is() -> None:
    fields = {"value_range": 255, "mean": [0.4, 0.5, 0.6]}
    torch.manual_seed(0)
    as_is = network(**fields, restored=False)
    restored = network(**fields)
    restored.load_state_dict(as_is.state_dict())
    with torch.no_grad():
        image = torch.rand(1, 3, 9, 6)
        mean = torch.tensor(fields["mean"]).view(1, 3, 1, 1)
        expected = (restored(image) - mean) * 255
        torch.testing.assert_close(as_is(image), expected, atol=1e-4, rtol=1e-4)
        # Fresh ones begin near the image's range, though they compute in 0..255.
        assert as_is(image).abs().max() < 10


@pytest.mark.parametrize("fields", [{}, {"mean": [0.0, 0.0, 0.0]}])
def test_nothing_to_restore(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="restored: false has no effect without a value range"):
        network(restored=False, **fields)


def test_the_mean_is_no_weight() -> None:
    net = network(mean=[0.1, 0.2, 0.3])
    assert "mean" not in net.state_dict()
    assert all(name != "mean" for name, _ in net.named_parameters())


def test_the_input_is_left_alone() -> None:
    image = torch.rand(1, 3, 5, 5)
    before = image.clone()
    network(mean=[0.1, 0.2, 0.3], image_skip="bilinear")(image)
    assert torch.equal(image, before)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 2), (15, 14), (33, 17)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_odd_sizes(size: tuple[int, int], scale: int) -> None:
    net = network(scale=scale, stem="pyramid", image_skip="bicubic")
    assert net(torch.rand(1, 3, *size)).shape == (1, 3, scale * size[0], scale * size[1])


def test_luma() -> None:
    net = network(colors=1, mean=[0.5])
    assert net(torch.rand(2, 1, 4, 5)).shape == (2, 1, 8, 10)


def test_half_precision() -> None:
    net = network(mean=[0.4, 0.5, 0.6], value_range=255, image_skip="bilinear")
    image = torch.rand(1, 3, 8, 8, dtype=torch.bfloat16)
    out = net.to(torch.bfloat16)(image.to(memory_format=torch.channels_last))
    assert out.dtype is torch.bfloat16


def test_equal_random_states_make_equal_weights() -> None:
    torch.manual_seed(3)
    first = network().state_dict()
    torch.manual_seed(3)
    second = network().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_per_block_and_per_layer_settings_build() -> None:
    net = network(
        blocks=[
            {
                "kind": "distillation",
                "stages": 4,
                "distillation": "fdc",
                "distilled": [1, 2, 3],
                "refined": [5, 9, 7],
                "last": 6,
                "convolution": "rep",
            },
            {"kind": "spab", "convolution": "bsconv"},
        ]
    )
    first: Any = net.blocks[0]
    assert [m.weight.shape[0] for m in first.distill] == [1, 2, 3]
    assert [m.square.weight.shape[:2] for m in first.stages] == [(5, 8), (9, 5), (7, 9)]
    assert first.fuse.weight.shape[:2] == (8, 1 + 2 + 3 + 6)
    assert net(torch.rand(1, 3, 4, 4)).shape == (1, 3, 8, 8)


def test_plain_data_build_as_their_architecture_does() -> None:
    plain = network().architecture.to_dict()
    assert build(plain).architecture == network().architecture


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"scale": 4, "chanels": 8}, "unknown key 'chanels': did you mean 'channels'"),
        ({}, "missing key 'scale'"),
        ("rfdn", r"build: expected an Architecture .* got 'rfdn'; preset\(NAME\)"),
        (None, "expected an architecture's mapping, got None"),
    ],
)
def test_what_makes_no_network_is_told(given: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        build(given)
