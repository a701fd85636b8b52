"""Prices against three independent counters, to the unit."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pytest
import thop
import torch
from fvcore.nn import FlopCountAnalysis

from search_spaces import Architecture, InputError, Network, Price, Space, build, preset, price
from search_spaces.attention import ATTENTIONS
from search_spaces.attention.esa import ESALite
from search_spaces.convs import CONVS
from search_spaces.cost import layers, lr_size
from search_spaces.folding import folded

FROM_DISTILLATION, FROM_TINY, BY_HAND = 200, 30, 70


def random_widths(rng: random.Random, count: int, high: int) -> int | list[int]:
    widths = [rng.randint(1, high) for _ in range(count)]
    return widths if count and rng.random() < 0.7 else widths[0]


def random_attention(rng: random.Random) -> Any:
    kind = rng.choice(list(ATTENTIONS))
    return (
        {"kind": kind, "width": rng.randint(1, 9)} if kind in ("cca", "esa", "esa_lite") else kind
    )


def random_block(rng: random.Random, channels: int) -> dict[str, Any]:
    """A block with widths of its own for every layer."""
    kind = rng.choice(["distillation"] * 5 + ["enhancement", "distilling_group", "spab"])
    if kind == "enhancement":
        return {"kind": kind, "distilled": rng.choice([2, 4]), "groups": 2}
    if kind == "distilling_group":
        return {"kind": kind, "units": rng.randint(1, 3), "distilled": rng.randint(1, 9)}
    convolution = rng.choice(list(CONVS))
    if kind == "spab":
        return {"kind": kind, "convolution": convolution}
    stages, distillation = rng.randint(2, 4), rng.choice(["none", "split", "fdc"])
    block = {
        "kind": kind,
        "stages": stages,
        "distillation": distillation,
        "last": rng.randint(1, 9),
    }
    block["refined"] = random_widths(rng, stages - 1, 2 * channels)
    if distillation != "none":
        block["distilled"] = random_widths(rng, stages - 1, channels)
        block["distilled_attention"] = random_attention(rng)
    block["convolution"] = convolution
    if rng.random() < 0.7:
        block["attention"] = random_attention(rng)
        block["attention_place"] = rng.choice(["before", "after"])
    block["residual"] = rng.choice(["none", "output", "weighted"])
    return block


def by_hand(rng: random.Random) -> Architecture:
    channels = 2 * rng.randint(5, 10)
    return Architecture.from_dict(
        {
            "scale": rng.choice([2, 3, 4]),
            "colors": rng.choice([1, 3]),
            "channels": channels,
            "stem": rng.choice(["conv", "chain", "pyramid"]),
            "blocks": [random_block(rng, channels) for _ in range(rng.randint(1, 3))],
            "fusion": rng.choice(["concat", "chain", "none"]),
            "upsampler": rng.choice(["pixelshuffle", "pixelshuffle", "deconv"]),
            "image_skip": rng.choice(
                ["none", "bilinear", "linear", {"kind": "linear", "kernel": 3}]
            ),
        }
    )


@lru_cache
def architectures() -> tuple[tuple[Architecture, tuple[int, int]], ...]:
    """Random architectures and the size of an input."""
    rng = random.Random(1)
    made: list[Architecture] = []
    for name, count in (("distillation", FROM_DISTILLATION), ("tiny", FROM_TINY)):
        space = Space.load(name)
        for _ in range(count):
            point = space.choose(lambda d: rng.choice(d.labels))
            # Small, because two of the counters run the network.
            point["channels"] = rng.choice([v for v in space.filling[1].grid if v <= 40])
            point["blocks"] = rng.choice((1, 2, 3) if name == "tiny" else (2, 3))
            made.append(space.architecture(point, rng.choice([2, 3, 4])))
    made += [by_hand(rng) for _ in range(BY_HAND)]
    return tuple((arch, (rng.randint(1, 24), rng.randint(1, 24))) for arch in made)


def chunks(count: int) -> Iterator[Any]:
    total = FROM_DISTILLATION + FROM_TINY + BY_HAND
    for start in range(0, total, count):
        yield pytest.param(start, min(start + count, total), id=f"{start}..")


@pytest.mark.parametrize(("start", "stop"), list(chunks(100)))
def test_equals_torch_and_thop_to_the_unit(
    start: int, stop: int, count: Callable[..., Price]
) -> None:
    for arch, size in architectures()[start:stop]:
        # Images this small run faster on the processor than shapes alone do on "meta".
        network, image = build(arch).eval(), torch.zeros(1, arch.colors, *size)
        expected = price(arch, lr=size)
        assert count(network, image) == expected, arch.to_dict()
        # thop and fvcore see modules, which training forms do not call: they get what is in use.
        if (used := folded(arch)) != arch:
            arch, network, expected = used, build(used).eval(), price(used, lr=size)
        thop_macs, thop_params = thop.profile(network, inputs=(image,), verbose=False)
        # thop sees modules only: neither the two numbers of a weighted residual ...
        numbers = 2 * sum(
            dict(block.options).get("residual") == "weighted" for block in arch.blocks
        )
        assert thop_params == expected.params - numbers
        # ... nor that a transposed convolution works on its input's pixels.
        wide = [la for la in layers(arch, lr=size) if la.operation.startswith("deconv")]
        extra = sum(la.macs * (arch.scale**2 - 1) for la in wide)
        assert thop_macs == expected.macs + extra, arch.to_dict()


def test_the_sample_is_what_it_says() -> None:
    made = [arch for arch, _ in architectures()]
    assert len(made) == 300
    assert len({arch.hash for arch in made}) > 270
    text = repr([arch.to_dict() for arch in made])
    for kind in (*CONVS, *ATTENTIONS, "spab", "enhancement", "distilling_group", "weighted"):
        assert kind == "plain" or f"'{kind}'" in text, kind


def bilinear_elements(arch: Architecture, network: Network, size: tuple[int, int]) -> int:
    """Output elements of all bilinear resizing: the image skip's and every ESA's."""
    pixels = size[0] * size[1]
    esa = sum(m.refine.out_channels for m in network.modules() if isinstance(m, ESALite))
    skip = arch.colors * arch.scale**2 if arch.image_skip.kind == "bilinear" else 0
    return (esa + skip) * pixels


def test_fvcore_differs_by_bilinear_resizing_alone() -> None:
    """fvcore counts 4 for every element of a bilinear resize; we count convolutions."""
    explained = 0
    for trained, size in architectures()[::15]:
        arch = folded(trained)
        network = build(arch).eval()
        elements = bilinear_elements(arch, network, size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit.trace on shapes read by Python
            analysis = FlopCountAnalysis(network, torch.zeros(1, arch.colors, *size))
            analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
            total = analysis.total()
        assert total - price(arch, lr=size).macs == 4 * elements, arch.to_dict()
        explained += any(isinstance(module, ESALite) for module in network.modules())
    assert explained >= 3  # some with ESA were among them


class TestSizes:
    def test_lr_size_rounds_down(self) -> None:
        assert [lr_size(s, (720, 1280)) for s in (2, 3, 4)] == [(360, 640), (240, 426), (180, 320)]

    def test_hr_and_lr_agree(self) -> None:
        arch = preset("e_rfdn", 3)
        assert price(arch, (90, 121)) == price(arch, lr=(30, 40))
        assert price(arch) == price(arch, lr=(240, 426))

    @pytest.mark.parametrize("hr", [(3, 720), (720, 0), (-720, 1280)])
    def test_less_than_a_pixel(self, hr: tuple[int, int]) -> None:
        with pytest.raises(InputError, match="at least 4 px a side"):
            price(preset("rfdn", 4), hr)


def test_layers_are_named_by_their_place_and_add_up() -> None:
    arch = preset("e_rfdn", 4)
    listed = list(layers(arch))
    names = [layer.name for layer in listed]
    assert len(set(names)) == len(names)
    assert {"stem.conv", "blocks.1.stage1.conv", "blocks.4.fuse", "upsampler.conv"} <= set(names)
    total = price(arch)
    assert sum(layer.params for layer in listed) == total.params
    assert sum(layer.macs for layer in listed) == total.macs
    assert sum(layer.activations for layer in listed) == total.activations
