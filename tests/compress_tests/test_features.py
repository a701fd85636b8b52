from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress.features import COMPARISONS, NEEDS_WIDTH, block_outputs, matched_depths


@given(st.integers(1, 40), st.integers(1, 40))
def test_depths_are_matched_in_order_up_to_the_last(student: int, teacher: int) -> None:
    pairs = matched_depths(student, teacher)
    assert len(pairs) == min(student, teacher)
    assert pairs[-1] == (student - 1, teacher - 1)
    for side in zip(*pairs, strict=True):
        assert list(side) == sorted(set(side))
        assert side[0] >= 0
    for mine, theirs in pairs:
        assert abs((mine + 1) / student - (theirs + 1) / teacher) <= 1 / min(student, teacher)


@pytest.mark.parametrize("name", list(COMPARISONS))
@pytest.mark.parametrize("size", [(24, 24), (9, 13), (1, 1)])
def test_a_comparison_is_0_for_equal_maps_and_grows(name: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    maps, noise = torch.randn(2, 2, 6, *size)
    compare = COMPARISONS[name]
    assert compare(maps, maps) == 0
    near, far = (float(compare(maps, maps + s * noise)) for s in (0.1, 1.0))
    # One pixel has one cosine, with itself.
    assert 0 < near < far or (name == "affinity" and size == (1, 1))
    # How strong the features are says nothing.
    assert float(compare(maps, 3 * maps)) < 1e-4


@pytest.mark.parametrize("name", list(COMPARISONS))
def test_gradients_are_finite_even_for_features_of_0(name: str) -> None:
    maps = torch.zeros(2, 4, 12, 12, requires_grad=True)
    COMPARISONS[name](maps, torch.randn(2, 4, 12, 12)).backward()
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


def test_affinity_compares_maps_of_different_widths_within_windows() -> None:
    torch.manual_seed(0)
    assert "affinity" not in NEEDS_WIDTH
    one, other = torch.randn(1, 4, 24, 24), torch.randn(1, 7, 24, 24)
    parts = [
        COMPARISONS["affinity"](
            one[..., y : y + 12, x : x + 12], other[..., y : y + 12, x : x + 12]
        )
        for y in (0, 12)
        for x in (0, 12)
    ]
    assert torch.allclose(COMPARISONS["affinity"](one, other), torch.stack(parts).mean())


def test_block_outputs_are_those_of_the_blocks_and_hooks_go(tiny_network: Any) -> None:
    network = tiny_network()
    image = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        with block_outputs(network, (0, 1)) as found:
            network(image)
        first = network.blocks[0](network.stem(image))
        network(image)
    assert len(found) == 2
    assert torch.equal(found[0], first)
    assert not any(block._forward_hooks for block in network.blocks)
