from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from compress.calibration import Array, crops
from compress.rounding import rounded_weights
from nas.data.embedded import embedded_photos


@pytest.fixture(scope="module")
def images() -> list[Array]:
    return crops(embedded_photos()[0][:4], 2, count=4, side=40)


def nearest(weight: torch.Tensor) -> torch.Tensor:
    step = weight.abs().amax((1, 2, 3), keepdim=True) / 127
    return (weight / step).round() * step


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(3, 4, 3, stride=2, padding=(2, 1), dilation=2),
        nn.Conv2d(3, 6, (5, 3), groups=3, bias=False),
    ],
    ids=["plain", "strided", "grouped"],
)
def test_outputs_stay_nearer_than_by_the_nearest_weights(
    layer: nn.Conv2d, images: list[Array]
) -> None:
    torch.manual_seed(0)
    nn.init.normal_(layer.weight)
    before = layer.weight.detach().clone()
    (found,) = rounded_weights(nn.Sequential(layer), images).values()
    assert torch.equal(layer.weight, before)
    weight = torch.from_numpy(found)
    # On the grid of each channel, which ends where it ended.
    step = before.abs().amax((1, 2, 3), keepdim=True) / 127
    torch.testing.assert_close(weight / step, (weight / step).round(), rtol=0, atol=1e-3)
    torch.testing.assert_close(weight.abs().amax((1, 2, 3)), before.abs().amax((1, 2, 3)))

    def error(other: torch.Tensor) -> float:
        with torch.no_grad():
            off = nn.functional.conv2d(
                torch.from_numpy(np.concatenate(images)), other - before, None, layer.stride,
                layer.padding, layer.dilation, layer.groups,
            )  # fmt: skip
        return float(off.square().mean())

    assert error(weight) < 0.5 * error(nearest(before))


def test_an_input_that_is_always_the_same_is_no_obstacle() -> None:
    layer = nn.Conv2d(3, 4, 1)
    network = nn.Sequential(layer, nn.ReLU(), nn.ConvTranspose2d(4, 3, 3))
    with torch.no_grad():
        nn.init.zeros_(layer.weight)
    found = rounded_weights(network, [np.zeros((1, 3, 8, 8), np.float32)])
    assert list(found) == ["0"]
    assert not found["0"].any()
