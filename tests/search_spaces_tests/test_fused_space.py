"""The block and the space of fused inverted bottlenecks."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from search_spaces import Architecture, Space, build, price
from search_spaces.activations import ACTIVATIONS
from search_spaces.blocks import BLOCKS
from search_spaces.blocks.fused_mbconv import FusedMBConv
from search_spaces.errors import InputError
from search_spaces.part import Part

GELU, C, W = ACTIVATIONS.parse("gelu"), 6, 9


def block(**options: object) -> Part:
    return BLOCKS.canonical(BLOCKS.parse({"kind": "fused_mbconv", **options}), C)


def test_a_stage_is_its_input_and_what_is_projected_of_the_expanded() -> None:
    torch.manual_seed(0)
    made = FusedMBConv(C, GELU, stages=2, expanded=W).eval()
    x = torch.randn(1, C, 7, 5)
    expected = x
    weights = dict(made.named_parameters())
    for k in range(2):
        wide, narrow = f"expand.{k}.conv", f"project.{k}.conv"
        y = F.conv2d(expected, weights[f"{wide}.weight"], weights[f"{wide}.bias"], padding=1)
        y = F.conv2d(F.gelu(y), weights[f"{narrow}.weight"], weights[f"{narrow}.bias"])
        expected = expected + y
    torch.testing.assert_close(made(x), expected)


def test_attention_follows_the_last_stage() -> None:
    torch.manual_seed(0)
    made = BLOCKS.make(block(stages=2, attention={"kind": "esa_lite", "width": 2}), C, GELU).eval()
    assert isinstance(made, FusedMBConv)
    x = torch.randn(1, C, 20, 20)
    whole, attention = made(x), made.attention
    made.attention = torch.nn.Identity()
    torch.testing.assert_close(whole, attention(made(x)))


def test_parameters_as_the_docstring_counts_them() -> None:
    layers = list(BLOCKS.layers(block(stages=3, expanded=W), C, GELU, (4, 4)))
    assert sum(layer.params for layer in layers) == 3 * (10 * C * W + W + C)


def test_twice_the_channels_unless_said() -> None:
    assert block(stages=2, expanded=2 * C) == block(stages=2)
    assert block(stages=2, expanded=[W, W]) == block(stages=2, expanded=W)
    assert block(stages=2, expanded=[W, 2 * C]) != block(stages=2)
    with pytest.raises(InputError, match="expanded: expected one width or 3 of them"):
        block(stages=3, expanded=[W, W])


@pytest.mark.parametrize("name", ["fused", "fused-luma"])
@pytest.mark.parametrize("point", ["plain", "attentive"])
def test_starting_points_cost_what_they_hold(name: str, point: str) -> None:
    space = Space.load(name)
    arch = space.architecture(space.starting_points[point], 4)
    assert price(arch).params == sum(p.numel() for p in build(arch).parameters()) < 150_000
    assert {part.kind for part in arch.blocks} == {"fused_mbconv"}


def test_a_network_written_by_hand_is_the_spaces_own() -> None:
    space = Space.load("fused")
    one = {"kind": "fused_mbconv", "repeat": 8, "expanded": 56}
    plain = {"scale": 4, "channels": 28, "activation": "gelu", "fusion": "chain"}
    arch = Architecture.from_dict({**plain, "image_skip": "linear", "blocks": [one]})
    assert arch == space.architecture(space.starting_points["plain"], 4)
