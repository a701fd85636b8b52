from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from nas.training.muon import Muon, orthogonal

LAYOUTS = [torch.contiguous_format, torch.channels_last]
layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=["contiguous", "channels_last"])


def matrices(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    scale=st.sampled_from((1e-6, 1.0, 1e6)),
    seed=st.integers(0, 99),
)
def test_singular_values_are_near_one(rows: int, columns: int, scale: float, seed: int) -> None:
    given_ = matrices(2, rows, columns, seed=seed)
    u, values, vh = torch.linalg.svd(given_, full_matrices=False)
    # Within 100 of each other: five iterations lift what is a hundredth of the norm.
    balanced = u @ torch.diag_embed(values.clamp(min=values.max() / 100)) @ vh
    made = orthogonal(balanced * scale)
    assert made.shape == given_.shape
    found = torch.linalg.svdvals(made)
    assert float(found.min()) > 0.3
    assert float(found.max()) < 1.3


def test_directions_stay() -> None:
    given_ = matrices(3, 6, 20)
    u, _, vh = torch.linalg.svd(given_, full_matrices=False)
    inner = u.mT @ orthogonal(given_) @ vh.mT
    off = inner - torch.diag_embed(inner.diagonal(dim1=1, dim2=2))
    assert float(off.abs().max()) < 1e-4
    assert float(inner.diagonal(dim1=1, dim2=2).min()) > 0.3


def test_zero_stays_zero_and_only_directions_count() -> None:
    assert not orthogonal(torch.zeros(2, 4, 7)).any()
    given_ = matrices(1, 5, 9)
    torch.testing.assert_close(orthogonal(given_ * 1e-4), orthogonal(given_), rtol=1e-4, atol=1e-5)


def test_each_of_a_stack_is_by_itself() -> None:
    given_ = matrices(4, 6, 9)
    alone = torch.cat([orthogonal(one[None]) for one in given_])
    torch.testing.assert_close(orthogonal(given_), alone, rtol=1e-5, atol=1e-6)


def filters(layout: torch.memory_format, *shape: int) -> Tensor:
    return matrices(*shape).contiguous(memory_format=layout).requires_grad_()


@layouts
@pytest.mark.parametrize(
    "shape", [(8, 4, 3, 3), (4, 16, 1, 1), (40, 4, 3, 3), (2, 9, 5, 1), (24, 24, 3, 3)]
)
def test_a_step_is_orthogonal_and_of_the_size_it_says(
    layout: torch.memory_format, shape: tuple[int, ...]
) -> None:
    one = filters(layout, *shape)
    before = one.detach().clone()
    one.grad = matrices(*shape, seed=1).contiguous(memory_format=layout)
    Muon([one], lr=0.5).step()
    change = (one.detach() - before).flatten(1)
    out, rest = change.shape
    size = 0.5 * 0.01 * min(144, max(out, rest)) ** 0.5 * max(1.0, out / rest) ** 0.5
    values = torch.linalg.svdvals(change) / size
    assert 0.3 < float(values.min()) <= float(values.max()) < 1.3
    # Downhill.
    assert float((change * one.grad.flatten(1)).sum()) < 0


def test_filters_lose_their_share() -> None:
    one, other = (filters(torch.contiguous_format, 6, 4, 3, 3) for _ in range(2))
    before = one.detach().clone()
    for filter_, decay in ((one, 0.0), (other, 0.1)):
        filter_.grad = matrices(6, 4, 3, 3, seed=1)
        Muon([filter_], lr=0.5, decay=decay).step()
    torch.testing.assert_close(other, one - 0.05 * before)


def test_the_layout_in_memory_changes_nothing() -> None:
    made = []
    for layout in LAYOUTS:
        for of_gradient in LAYOUTS:
            one = filters(layout, 6, 4, 3, 3)
            optimizer = Muon([one], lr=0.3)
            for seed in range(3):
                one.grad = matrices(6, 4, 3, 3, seed=seed).contiguous(memory_format=of_gradient)
                optimizer.step()
            assert one.is_contiguous(memory_format=layout)
            made.append(one.detach())
    for other in made[1:]:
        torch.testing.assert_close(made[0], other, rtol=1e-4, atol=1e-5)


def test_momentum_is_nesterovs_running_mean() -> None:
    one = filters(torch.contiguous_format, 3, 5, 1, 1)
    optimizer = Muon([one], lr=1.0, momentum=0.9)
    mean = torch.zeros(3, 5)
    for seed in range(3):
        before, gradient = one.detach().clone(), matrices(3, 5, 1, 1, seed=seed)
        one.grad = gradient.clone()
        optimizer.step()
        mean = mean + (gradient.flatten(1) - mean) * 0.1
        ahead = gradient.flatten(1) + (mean - gradient.flatten(1)) * 0.9
        expected = -0.01 * 5**0.5 * orthogonal(ahead[None])[0]
        torch.testing.assert_close((one.detach() - before).flatten(1), expected)
        torch.testing.assert_close(one.grad, gradient)


def test_what_has_no_gradient_stays() -> None:
    one, other = (filters(torch.contiguous_format, 4, 4, 3, 3) for _ in range(2))
    before = other.detach().clone()
    optimizer = Muon([one, other], lr=0.1)
    one.grad = torch.ones_like(one)
    optimizer.step()
    assert torch.equal(other.detach(), before)
    one.grad = None
    optimizer.step()


@layouts
def test_saved_and_loaded_it_goes_on_to_the_same_bits(
    layout: torch.memory_format, tmp_path: Any
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3))
    network = network.to(memory_format=layout)  # type: ignore[call-overload]
    weights = [layer.weight for layer in network[1:]]

    def steps(weights: list[Tensor], optimizer: Muon, seeds: range) -> None:
        for seed in seeds:
            for k, one in enumerate(weights):
                one.grad = torch.empty_like(one).copy_(matrices(*one.shape, seed=10 * seed + k))
            optimizer.step()

    resumed = copy.deepcopy(network)
    whole = Muon(weights, lr=0.1)
    steps(weights, whole, range(4))
    first = [layer.weight for layer in resumed[1:]]
    half = Muon(first, lr=0.1)
    steps(first, half, range(2))
    torch.save({"network": resumed.state_dict(), "muon": half.state_dict()}, tmp_path / "x.pt")
    fresh = copy.deepcopy(network)
    content = torch.load(tmp_path / "x.pt", weights_only=True)
    fresh.load_state_dict(content["network"])
    second = [layer.weight for layer in fresh[1:]]
    other = Muon(second, lr=0.7)
    other.load_state_dict(content["muon"])
    steps(second, other, range(2, 4))
    assert all(torch.equal(a, b) for a, b in zip(weights, second, strict=True))
