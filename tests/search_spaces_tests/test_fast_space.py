"""The space of plain trunks: what is in it, and what is not."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from search_spaces import Architecture, Space, build, preset, price

FAST = Space.load("fast")


class Operators(TorchDispatchMode):
    """Names of all operators that run while it is active."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize("block", ["plain", "spab", "spab_v2"])
def test_networks_neither_pool_nor_resize(block: str, colors: int) -> None:
    rng, space = random.Random(f"{block} {colors}"), FAST if colors == 3 else FAST.on_luma()
    for _ in range(8):
        labels = space.choose(lambda d: block if d.name == "block" else rng.choice(d.labels))
        arch = space.architecture({**labels, "blocks": rng.randint(1, 3), "channels": 8}, 2)
        network = build(arch).eval()
        with torch.no_grad(), Operators() as operators:
            out = network(torch.rand(1, colors, 5, 6))
        assert out.shape == (1, colors, 10, 12)
        assert sum(p.numel() for p in network.parameters()) == price(arch).params
        assert not {n for n in operators.names if "mean" in n or "pool" in n or "upsample" in n}
        assert sum(name == "pixel_shuffle" for name in operators.names) == 1


@pytest.mark.parametrize("name", list(FAST.starting_points))
@pytest.mark.parametrize("scale", [2, 4])
def test_starting_points_are_the_presets(name: str, scale: int) -> None:
    """Equal in trunk and ends; all have an anchor and biases, and images go in as they are."""
    expected = preset(name, scale).to_dict() | {"image_skip": "anchor"}
    for key in ("value_range", "mean", "restored"):
        expected.pop(key, None)
    expected = without_unbiased(expected)
    space = FAST.on_luma() if expected.get("colors") == 1 else FAST
    found = space.architecture(space.starting_points[name], scale)
    assert found == Architecture.from_dict(expected)


def without_unbiased(plain: Any) -> Any:
    if isinstance(plain, list):
        return [without_unbiased(one) for one in plain]
    if not isinstance(plain, dict):
        return plain
    kept = {key: without_unbiased(value) for key, value in plain.items() if key != "bias"}
    return "plain" if kept == {"kind": "plain"} else kept
