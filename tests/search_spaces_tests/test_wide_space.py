from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from search_spaces import Architecture, Space, build, folded, price
from search_spaces.dimension import Label

WIDE = Space.load("wide")
BUDGET = 120_000


def fits(arch: Architecture) -> bool:
    return price(folded(arch)).params <= BUDGET


def some(rng: random.Random, **fixed: Label) -> dict[str, Any]:
    return WIDE.choose(lambda d: fixed.get(d.name, rng.choice(d.labels)))


@pytest.mark.parametrize("block", next(d for d in WIDE.dimensions if d.name == "block").labels)
def test_every_block_makes_networks_that_are_priced_and_filled_exactly(block: Label) -> None:
    rng = random.Random(str(block))
    filled = 0
    for _ in range(12):
        labels = some(rng, block=block)
        point = WIDE.fill(labels, {d.name: rng.random() for d in WIDE.filling}, 2, fits)
        if point is None:
            continue
        filled += 1
        arch = WIDE.architecture(point, 2)
        assert fits(arch)
        assert Architecture.from_dict(arch.to_dict()).hash == arch.hash
        network = build(arch)
        assert sum(p.numel() for p in network.parameters()) == price(arch).params
        assert network(torch.rand(1, 3, 5, 6)).shape == (1, 3, 10, 12)
    assert filled >= 10


def test_prices_in_use_rise_with_blocks_and_channels() -> None:
    rng = random.Random(0)
    grids = {d.name: d.grid for d in WIDE.filling}
    for _ in range(40):
        labels = some(rng)
        point = {**labels, **{name: rng.choice(grid[:-1]) for name, grid in grids.items()}}
        before = price(folded(WIDE.architecture(point, 4)))
        for name, grid in grids.items():
            grown = {**point, name: grid[grid.index(point[name]) + 1]}
            after = price(folded(WIDE.architecture(grown, 4)))
            assert after.params > before.params
            assert after.macs > before.macs


def test_everything_in_a_preset_is_a_choice() -> None:
    text = str([(d.labels, list(d.choices.values())) for d in WIDE.dimensions])
    parts = (
        "split", "fdc", "narrowing_split", "spab", "distilling_group", "enhancement", "epa",
        "pointwise", "esa_lite", "cca", "asymmetric", "rep", "bsconv", "pyramid", "chain",
        "weighted", "fuse", "span", "chain", "deconv", "bicubic",
    )  # fmt: skip
    assert [part for part in parts if repr(part) not in text] == []
