"""Ends of networks that look at the image, too."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces import Architecture, Network, build


def network(**fields: Any) -> Network:
    plain = {"scale": 3, "channels": 4, "blocks": ["spab"], "upsampler": "near", **fields}
    return build(Architecture.from_dict(plain)).eval()


@pytest.mark.parametrize("colors", [1, 3])
def test_a_fresh_near_end_enlarges_by_nearest_neighbours(colors: int) -> None:
    net, image = network(colors=colors), torch.rand(2, colors, 5, 4)
    with torch.no_grad():
        assert torch.equal(net(image), F.interpolate(image, scale_factor=3, mode="nearest"))
    # And it can learn: what reads the features has a gradient.
    (net(image) - 1).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.upsampler.parameters())


def test_the_near_end_sees_the_image_in_the_networks_own_range() -> None:
    net, image = network(value_range=255, mean=[0.4, 0.5, 0.6]), torch.rand(1, 3, 4, 4)
    with torch.no_grad():
        expected = F.interpolate(image, scale_factor=3, mode="nearest")
        torch.testing.assert_close(net(image), expected, atol=1e-5, rtol=0)


def test_the_near_end_stays_exact_under_autocast() -> None:
    net, image = network(), torch.rand(1, 3, 4, 4)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(net(image), F.interpolate(image, scale_factor=3, mode="nearest"))


class Counted:
    """Pixel shuffles and resizes that a forward pass does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shuffles = 0
        shuffle = F.pixel_shuffle

        def counted(x: Tensor, scale: int) -> Tensor:
            self.shuffles += 1
            return shuffle(x, scale)

        def refused(*_: Any, **__: Any) -> Tensor:
            raise AssertionError("resized")

        monkeypatch.setattr(F, "pixel_shuffle", counted)
        monkeypatch.setattr(F, "interpolate", refused)


@pytest.mark.parametrize(
    ("upsampler", "shuffles"), [("pixelshuffle", 1), ("near", 1), ("deconv", 1)]
)
@pytest.mark.parametrize("fields", [{}, {"value_range": 255, "mean": [0.4, 0.5, 0.6]}])
def test_an_anchor_is_the_nearest_neighbours_without_resizing(
    upsampler: str, shuffles: int, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    anchored = network(upsampler=upsampler, image_skip="anchor", **fields)
    resized = network(upsampler=upsampler, image_skip="nearest", **fields)
    for weights in anchored.parameters():
        nn.init.normal_(weights, std=0.1)
    resized.load_state_dict(anchored.state_dict())
    image = torch.rand(2, 3, 5, 6)
    with torch.no_grad():
        expected = resized(image)
        counted = Counted(monkeypatch)
        torch.testing.assert_close(anchored(image), expected, atol=1e-5, rtol=0)
    assert counted.shuffles == shuffles


def test_a_second_convolution_before_the_image_can_learn_beside_an_image_skip() -> None:
    net = network(upsampler={"kind": "pixelshuffle", "inner": 6}, image_skip="anchor")
    with torch.no_grad():
        image = torch.rand(1, 3, 4, 4)
        expected = F.interpolate(image, scale_factor=3, mode="nearest")
        torch.testing.assert_close(net(image), expected)
    assert net.upsampler.get_parameter("first.weight").any()
    assert not net.output_layer.get_parameter("weight").any()
