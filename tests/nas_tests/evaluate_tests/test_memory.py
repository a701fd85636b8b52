from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nas.evaluate.memory import peak_memory_mb
from search_spaces import Architecture, build
from search_spaces.errors import InputError


class Chain(nn.Module):
    def __init__(self, keep_first: bool, inplace: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 1)
        self.second = nn.Conv2d(8, 16, 1)
        self.third = nn.Conv2d(16, 8, 1)
        self.keep_first, self.inplace = keep_first, inplace

    def forward(self, image: Tensor) -> Tensor:
        x: Tensor = self.first(image)
        kept = x if self.keep_first else None
        x = self.second(x)
        x = torch.relu_(x) if self.inplace else torch.relu(x)
        x = self.third(x.view(x.shape))  # a view costs nothing
        return x if kept is None else x + kept


WEIGHTS = 4 * (3 * 8 + 8 + 8 * 16 + 16 + 16 * 8 + 8)
PIXELS = 4 * 10 * 20  # bytes of one channel


@pytest.mark.parametrize(
    ("network", "channels_live_at_peak"),
    [
        (Chain(keep_first=False), 3 + 16 + 8),
        (Chain(keep_first=True), 3 + 8 + 16 + 8),
        (Chain(keep_first=False, inplace=False), 3 + 16 + 16),
    ],
)
def test_peak_is_what_a_hand_counts(network: nn.Module, channels_live_at_peak: int) -> None:
    expected = WEIGHTS + PIXELS * channels_live_at_peak
    assert peak_memory_mb(network, (10, 20)) == expected / 1e6


def test_shared_weights_count_once() -> None:
    layer = nn.Conv2d(3, 3, 1)
    once, twice = nn.Sequential(layer), nn.Sequential(layer, layer)
    # The caller holds the input, so two layers have three images alive at their end.
    weights = 4 * 12
    assert peak_memory_mb(once, (10, 20)) == (weights + PIXELS * 6) / 1e6
    assert peak_memory_mb(twice, (10, 20)) == (weights + PIXELS * 9) / 1e6


def test_memory_grows_with_the_image_and_the_network_is_left_alone() -> None:
    network = Chain(keep_first=True).train()
    small, large = (peak_memory_mb(network, size) for size in ((10, 20), (20, 20)))
    assert small < large < 2 * small
    assert network.training
    assert next(network.parameters()).device.type == "cpu"


def test_a_padded_image_of_a_linear_skip_counts() -> None:
    plain = {"scale": 2, "channels": 1, "blocks": ["spab"]}
    none, linear = (
        Architecture.from_dict({**plain, "image_skip": skip}) for skip in ("none", "linear")
    )
    more = peak_memory_mb(linear, (10, 20)) - peak_memory_mb(none, (10, 20))
    # Of weights, and at the peak of the padded image beside what the network and the skip make.
    assert more * 1e6 >= 4 * (300 + 3 * 14 * 24)
    network = build(linear)
    assert peak_memory_mb(network, (10, 20)) == peak_memory_mb(linear, (10, 20))


def test_an_empty_image_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 x 1 pixels, got 0 x 4"):
        peak_memory_mb(Chain(keep_first=True), (0, 4))
