"""Image skips: what they add before anything is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nas.upscale.bicubic import bicubic
from search_spaces import Architecture, InputError, Network, build, price
from search_spaces.layer import Layer, Size, conv
from search_spaces.skips import SKIPS, LinearSkip

SIZES = [(1, 1), (1, 2), (3, 2), (13, 8)]


def network(**fields: Any) -> Network:
    return build(Architecture.from_dict({"scale": 2, "channels": 4, "blocks": ["spab"], **fields}))


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("kernel", [5, 7, 9])
def test_a_fresh_linear_skip_enlarges_bicubically(scale: int, kernel: Any) -> None:
    skip, image = LinearSkip(3, scale, kernel=kernel), torch.rand(2, 3, 9, 12)
    with torch.no_grad():
        found, expected = skip(image), bicubic(image, scale)
    # At the border the one repeats pixels and the other mirrors them.
    inner = (..., slice(2 * scale, -2 * scale), slice(2 * scale, -2 * scale))
    torch.testing.assert_close(found[inner], expected[inner], atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_window_of_three_pixels_interpolates_bilinearly(scale: int) -> None:
    image = torch.rand(1, 3, 5, 6)
    with torch.no_grad():
        found = LinearSkip(3, scale, kernel=3)(image)
    expected = SKIPS.make(SKIPS.parse("bilinear"), 3, scale)(image)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["nearest", "anchor", "bilinear", "bicubic", "linear"])
@pytest.mark.parametrize("size", SIZES)
def test_constant_images_stay_constant(kind: str, size: Size) -> None:
    for scale in (2, 3, 4):
        skip = SKIPS.make(SKIPS.parse(kind), 3, scale)
        with torch.no_grad():
            out = skip(torch.full((1, 3, *size), 0.7))
        torch.testing.assert_close(out, torch.full_like(out, 0.7), atol=1e-6, rtol=0)


def test_colours_do_not_mix() -> None:
    skip, image = LinearSkip(3, 2), torch.zeros(1, 3, 4, 4)
    image[:, 1] = 1
    with torch.no_grad():
        assert skip(image).sum(dim=(0, 2, 3)).tolist() == pytest.approx([0, 64, 0])


def test_filters_are_set_for_every_colour() -> None:
    skip, filters = LinearSkip(3, 2, kernel=3), torch.randn(4, 3, 3)
    skip.set_filters(filters)
    image = torch.rand(1, 1, 3, 3)
    expected = (filters * image[0]).sum(dim=(1, 2)).view(1, 2, 2).expand(3, 2, 2)
    with torch.no_grad():
        found = skip(image.expand(1, 3, 3, 3))[0, :, 2:4, 2:4]
    torch.testing.assert_close(found, expected)


def test_autocast_does_not_round_the_image() -> None:
    skip, image = LinearSkip(3, 4), torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = skip(image)
        with torch.autocast("cpu", torch.bfloat16):
            found, of_half = skip(image), skip(image.bfloat16())
        whole = network(image_skip="linear").eval()
        plain = whole(image)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(whole(image), plain)
    assert torch.equal(found, expected)
    assert of_half.dtype is torch.float32


def test_in_half_precision_everything_is() -> None:
    net = network(image_skip="linear").to(torch.bfloat16)
    assert net(torch.rand(1, 3, 5, 5, dtype=torch.bfloat16)).dtype is torch.bfloat16


def test_without_values_it_has_a_shape() -> None:
    with torch.device("meta"):
        net = network(image_skip={"kind": "linear", "kernel": 7})
        assert net(torch.empty(1, 3, 5, 4)).shape == (1, 3, 10, 8)


def test_no_skip_adds_nothing() -> None:
    none = SKIPS.make(SKIPS.parse("none"), 3, 2)
    image = torch.rand(1, 3, 2, 2)
    assert torch.equal(image + none(image), image)
    assert not list(none.parameters())
    assert not list(SKIPS.layers(SKIPS.parse("none"), 3, 2, (4, 4)))


class Scaled(nn.Module):
    """Every pixel repeated and weighted."""

    def __init__(self, colors: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(colors, colors, 1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        large = image.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)
        out: Tensor = self.conv(large)
        return out

    @staticmethod
    def layers(colors: int, scale: int, size: Size) -> Iterator[Layer]:
        height, width = (side * scale for side in size)
        yield conv("conv", colors, colors, 1, (height, width), bias=False)


class Forgetful(Scaled):
    @staticmethod
    def layers(colors: int, scale: int, size: Size) -> Iterator[Layer]:
        yield conv("conv", colors, colors, 1, size, bias=False)


def test_one_of_ones_own_is_priced_and_checked() -> None:
    SKIPS.add("scaled", Scaled)
    net = network(image_skip="scaled")
    plain = price(network().architecture)
    cost = price(net.architecture)
    assert (cost.params - plain.params, cost.macs - plain.macs) == (9, 9 * 720 * 1280)
    assert net(torch.rand(1, 3, 1, 1)).shape == (1, 3, 2, 2)
    SKIPS.add("forgetful", Forgetful)
    with pytest.raises(InputError, match="layers\\(\\) of image_skip 'forgetful' does not match"):
        network(image_skip="forgetful")
