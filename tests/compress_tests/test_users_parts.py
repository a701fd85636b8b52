"""Parts of a user's own in pruning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compress.prune import prune
from compress.widths import prunable_widths
from search_spaces import price
from search_spaces.activations import ACTIVATIONS
from search_spaces.attention import ATTENTIONS, AttentionPart
from search_spaces.blocks import BLOCKS
from search_spaces.blocks.unsliced import Weights, named, stacked
from search_spaces.blocks.unsliced import cut as cut_in_two
from search_spaces.convs import CONVS
from search_spaces.errors import InputError
from search_spaces.extensions import import_parts
from search_spaces.inner import TRUNK, Inner, free, within
from search_spaces.layer import Layer, Size, conv, placed, scalars
from search_spaces.part import Part
from tests.compress_tests.test_part_widths import halved, network_of

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "my_blocks.py"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


GATE = Part("cca", (("width", 6),))


class Waist(nn.Module):
    """A user's own block: a list of widths, an attention, learned numbers."""

    def __init__(
        self,
        channels: int,
        activation: Part,
        *,
        hidden: tuple[int, int] = (12, 8),
        attention: AttentionPart = GATE,
    ) -> None:
        super().__init__()
        first, second = hidden
        self.down = nn.Conv2d(channels, first, 3, padding=1)
        self.middle = nn.Conv2d(first, second, 3, padding=1)
        self.up = nn.Conv2d(second, channels, 1)
        self.gate = ATTENTIONS.make(attention, second)
        self.shares = nn.Parameter(torch.ones(2))
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.bends = nn.ModuleList(ACTIVATIONS.make(activation, width) for width in hidden)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bends[1](self.middle(self.bends[0](self.down(x))))
        out: Tensor = self.shares[0] * x + self.shares[1] * self.scale * self.up(self.gate(y))
        return out

    @staticmethod
    def layers(
        channels: int, activation: Part, size: Size, *, hidden: tuple[int, int], attention: Part
    ) -> Iterator[Layer]:
        first, second = hidden
        yield conv("down", channels, first, 3, size)
        yield conv("middle", first, second, 3, size)
        for k, width in enumerate(hidden):
            yield from placed(f"bend{k}", ACTIVATIONS.layers(activation, width))
        yield conv("up", second, channels, 1, size)
        yield from ATTENTIONS.layers(attention, second, size)
        yield scalars("shares", 2)
        yield scalars("scale", channels)


class NamedWaist(Waist):
    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        yield from free("hidden", options["hidden"])
        yield from within("attention", ATTENTIONS.widths(options["attention"]))


class TestAUsersOwnBlock:
    def test_is_pruned_inside(self) -> None:
        BLOCKS.add("waist", NamedWaist)
        network = network_of("waist")
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if name.endswith(("shares", "scale")):
                    parameter.copy_(torch.randn_like(parameter))
        form, small = halved(network)
        first, second = small.architecture.blocks
        assert first["hidden"] == second["hidden"] == (6, 4)
        assert first["attention"]["width"] == 3
        assert small.architecture.channels == 8
        assert sum(p.numel() for p in small.parameters()) == price(small.architecture).params
        numbers = [dict(one.named_parameters())["blocks.1.shares"] for one in (form, small)]
        assert torch.equal(*numbers)

    def test_fits_a_budget_like_ours(self) -> None:
        BLOCKS.add("waist", NamedWaist)
        network = network_of("waist")
        own = price(network.architecture).params
        pruned = prune(network, "params", own // 2)
        assert 0.9 * own // 2 < pruned.after.params <= own // 2

    def test_without_widths_is_left_whole(self) -> None:
        BLOCKS.add("waist", Waist)
        network = network_of("waist")
        assert {w.place for w in prunable_widths(network.architecture, 1)} == {TRUNK}
        _, small = halved(network)
        assert small.architecture.channels == 8
        assert small.architecture.blocks[0]["hidden"] == (12, 8)

    def test_a_trunk_that_a_block_binds_stays(self) -> None:
        class Bound(NamedWaist):
            @staticmethod
            def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
                yield Inner(TRUNK, channels, channels)
                yield from free("hidden", options["hidden"])

        BLOCKS.add("waist", Bound)
        places = {w.place for w in prunable_widths(network_of("waist").architecture, 1)}
        assert TRUNK not in places
        assert len(places) == 4

    def test_a_width_that_is_none_is_named(self) -> None:
        class Wrong(Waist):
            def __init__(self, channels: int, activation: Part, *, groups: int = 4, **_: Any):
                super().__init__(channels, activation)

            @staticmethod
            def layers(channels: int, activation: Part, size: Size, **_: Any) -> Iterator[Layer]:
                return Waist.layers(channels, activation, size, hidden=(12, 8), attention=GATE)

            @staticmethod
            def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
                return free("groups", options["groups"])

        BLOCKS.add("waist", Wrong)
        with pytest.raises(InputError, match="block 1 groups: lowering it makes no layer narrower"):
            halved(network_of("waist"))


class Slicing(nn.Module):
    """A user's own block that slices its channels by a number of its own."""

    def __init__(self, channels: int, activation: Part, *, kept: int = 6) -> None:
        super().__init__()
        self.kept = kept
        self.both = nn.Conv2d(channels, kept + 4, 3, padding=1)
        self.up = nn.Conv2d(kept, channels, 1)
        self.more = nn.Conv2d(4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.both(x)
        out: Tensor = x + self.up(y[:, : self.kept].relu()) + self.more(y[:, self.kept :].tanh())
        return out

    @staticmethod
    def layers(channels: int, activation: Part, size: Size, *, kept: int = 6) -> Iterator[Layer]:
        yield conv("both", channels, kept + 4, 3, size)
        yield conv("up", kept, channels, 1, size)
        yield conv("more", 4, channels, 1, size)

    @staticmethod
    def widths(channels: int, options: Mapping[str, Any]) -> Iterator[Inner]:
        return free("kept", options["kept"])


class Unsliced(nn.Module):
    def __init__(self, block: Slicing) -> None:
        super().__init__()
        self.first, self.second = cut_in_two(block.both, block.kept)
        self.up, self.more = block.up, block.more

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.up(self.first(x).relu()) + self.more(self.second(x).tanh())
        return out

    def joined(self) -> Weights:
        weights = named("up", self.up) | named("more", self.more)
        return weights | stacked("both", (self.first, self.second))


def test_a_users_own_slices_need_a_form_without() -> None:
    BLOCKS.add("slicing", Slicing)
    with pytest.raises(InputError):
        halved(network_of("slicing"))

    class Better(Slicing):
        def unsliced(self) -> nn.Module:
            return Unsliced(self)

    BLOCKS.add("better", Better)
    _, small = halved(network_of("better"))
    assert small.architecture.blocks[0]["kept"] == 3


def test_the_example_is_pruned_inside() -> None:
    import_parts([EXAMPLE])
    block = {"kind": "distillation", "stages": 2, "distillation": "none", "attention": "max"}
    _, small = halved(network_of(block))
    assert small.architecture.blocks[1]["attention"]["width"] == 4


def test_a_users_own_convolution_and_attention_are_pruned_inside() -> None:
    class Thin(nn.Module):
        def __init__(self, channels_in: int, channels_out: int, *, thin: int = 6) -> None:
            super().__init__()
            self.down = nn.Conv2d(channels_in, thin, 1)
            self.up = nn.Conv2d(thin, channels_out, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.up(self.down(x))
            return out

        @staticmethod
        def layers(channels_in: int, channels_out: int, size: Size, *, thin: int = 6) -> Any:
            yield conv("down", channels_in, thin, 1, size)
            yield conv("up", thin, channels_out, 3, size)

        @staticmethod
        def widths(options: Mapping[str, Any]) -> Iterator[Inner]:
            return free("thin", options["thin"])

    class Gate(nn.Module):
        def __init__(self, channels: int, *, thin: int = 6) -> None:
            super().__init__()
            self.conv = Thin(channels, channels, thin=thin)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = x * self.conv(x).sigmoid()
            return out

        @staticmethod
        def layers(channels: int, size: Size, *, thin: int = 6) -> Any:
            return Thin.layers(channels, channels, size, thin=thin)

        widths = Thin.widths

    CONVS.add("thin", Thin)
    ATTENTIONS.add("gate", Gate)
    _, small = halved(network_of(
        {"kind": "distillation", "stages": 3, "distillation": "fdc", "distilled": 8,
         "convolution": "thin", "attention": {"kind": "gate", "thin": 4}}
    ))  # fmt: skip
    block = small.architecture.blocks[0]
    assert (block["convolution"]["thin"], block["attention"]["thin"]) == (3, 2)
    _, small = halved(network_of({"kind": "spab", "convolution": "thin"}))
    assert small.architecture.blocks[1]["convolution"]["thin"] == 3
