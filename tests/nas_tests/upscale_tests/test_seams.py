"""Tiles equal the whole image: of every part of ours, and of a user's own that says it pools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas.cli.upscale import _line
from nas.upscale.batch import ImageJob, Outcome
from nas.upscale.runtime_network import RuntimeNetwork
from nas.upscale.upscaler import Upscaler
from search_spaces import Architecture, Network, build
from search_spaces.attention import ATTENTIONS
from search_spaces.blocks import BLOCKS
from search_spaces.convs import CONVS
from search_spaces.extensions import import_parts
from search_spaces.layer import Layer, Size, conv
from search_spaces.skips import SKIPS
from tests.nas_tests.upscale_tests.conftest import BLOCK, make
from tests.search_spaces_tests.test_parts import starts

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "my_blocks.py"


def ours() -> Iterator[Any]:
    for kind in ATTENTIONS:
        for start in starts(ATTENTIONS, kind):
            yield pytest.param({"blocks": [{**BLOCK, "attention": {"kind": kind, **start}}]},
                               id=f"attention-{kind}")  # fmt: skip
    for kind in BLOCKS:
        for n, start in enumerate(starts(BLOCKS, kind)):
            yield pytest.param({"blocks": [{"kind": kind, **start}]}, id=f"block-{kind}{n}")
    for kind in CONVS:
        block = {**BLOCK, "convolution": {"kind": kind, **starts(CONVS, kind)[0]}}
        yield pytest.param({"blocks": [block]}, id=f"conv-{kind}")
    for kind in SKIPS:
        yield pytest.param({"blocks": ["spab"], "image_skip": kind}, id=f"image_skip-{kind}")


@pytest.mark.parametrize("fields", list(ours()))
def test_tiles_of_ours_equal_the_whole_image(fields: dict[str, Any]) -> None:
    torch.manual_seed(1)
    arch = Architecture.from_dict({"scale": 2, "channels": 16, "value_range": 255, **fields})
    network = build(arch).eval()
    with torch.no_grad():
        for weights in network.upsampler.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.05)
    # One half has contrast, the other none: what pools for each tile by itself is seen.
    pixels = np.full((36, 300, 3), 90, np.uint8)
    pixels[:, :150] = np.random.default_rng(0).integers(0, 256, (36, 150, 3))
    tiled = Upscaler(network, device="cpu", tile=48)
    # Statistics of patches are near the whole image's, and the same for all tilings.
    large = 150 if tiled.pools_globally else 300
    other = Upscaler(network, device="cpu", tile=large)
    assert tiled.plan(36, 300).tile == 48
    assert np.abs(tiled.enlarge(pixels).astype(int) - other.enlarge(pixels)).max() <= 1


class Mean(nn.Module):
    """A gate by each channel's mean over the whole image, which it doesn't say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x * (self.conv(x.mean((2, 3), keepdim=True)) / 50).sigmoid()
        return out

    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        yield conv("conv", channels, channels, 1, (1, 1))


class SaysSo(Mean):
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x * (self.conv(self.pool_globally(x)) / 50).sigmoid()
        return out

    def pool_globally(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True)


class Local(Mean):
    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x * self.conv(x).sigmoid()
        return out

    @staticmethod
    def layers(channels: int, size: Size) -> Iterator[Layer]:
        yield conv("conv", channels, channels, 1, size)


def own(part: type[nn.Module]) -> Network:
    ATTENTIONS.add("own", part)
    return make({"kind": "own"}, value_range=255)


class TestAUsersOwn:
    def test_that_says_so_leaves_no_seam(self) -> None:
        upscaler = Upscaler(own(SaysSo), device="cpu")
        assert upscaler.pools_globally
        assert not upscaler.sees_beyond

    def test_that_is_the_example_leaves_no_seam(self) -> None:
        import_parts([EXAMPLE])
        upscaler = Upscaler(make({"kind": "max", "width": 4}, value_range=255), device="cpu")
        assert upscaler.pools_globally
        assert not upscaler.sees_beyond

    def test_that_does_not_is_found_out(self) -> None:
        upscaler = Upscaler(own(Mean), device="cpu")
        assert not upscaler.pools_globally
        assert upscaler.sees_beyond

    def test_that_does_not_is_found_out_beside_esa_and_in_a_file(self) -> None:
        network = own(Mean)
        arch = network.architecture.to_dict()
        arch["blocks"] = [*arch["blocks"], {**BLOCK, "attention": {"kind": "esa", "width": 4}}]
        beside = build(Architecture.from_dict(arch)).eval()
        assert Upscaler(beside, device="cpu").sees_beyond
        run = lambda image, whole, origin: image  # noqa: E731
        assert Upscaler(RuntimeNetwork(run, 2, 3, network.architecture, framed=True)).sees_beyond

    @pytest.mark.parametrize(("part", "told"), [(Mean, True), (SaysSo, False)])
    def test_the_output_says_so(self, part: type[nn.Module], told: bool) -> None:
        upscaler = Upscaler(own(part), device="cpu", tile=48)
        job = ImageJob(Path("a.png"), Path("b.png"), None)
        lines = [_line(Outcome(job, None, size, size), upscaler) for size in ((40, 40), (90, 90))]
        assert ["a part of your own sees farther" in line for line in lines] == [False, told]

    def test_that_does_not_pool_is_not_blamed(self) -> None:
        assert not Upscaler(own(Local), device="cpu").sees_beyond
        assert not Upscaler(make({"kind": "cca", "width": 2}), device="cpu").sees_beyond
