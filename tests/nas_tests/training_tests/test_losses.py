from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from nas.training.losses import charbonnier, l1, objective_of
from nas.training.recipe import Recipe
from search_spaces import Architecture, Network, build

Batch = tuple[Tensor, Tensor]


@pytest.fixture(scope="module")
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.rand(2, 3, 6, 6, generator=generator),
        torch.rand(2, 3, 12, 12, generator=generator),
    )


def loss(recipe: Recipe, network: nn.Module, batch: Batch, teacher: Network | None = None) -> float:
    return float(objective_of(recipe, teacher)(network, *batch).detach())


def test_charbonnier_is_l1_but_for_small_differences() -> None:
    wanted = torch.zeros(3)
    assert float(charbonnier(torch.full((3,), 0.5), wanted)) == pytest.approx(0.5, rel=1e-5)
    assert float(charbonnier(torch.full((3,), 1e-3), wanted)) == pytest.approx(2**0.5 * 1e-3)
    equal = torch.zeros(3, requires_grad=True)
    charbonnier(equal, wanted).backward()
    assert equal.grad is not None
    assert equal.grad.tolist() == [0, 0, 0]


def test_each_of_a_recipes_losses(architecture: Architecture, batch: Batch) -> None:
    network = build(architecture)
    apart = (network(batch[0]) - batch[1]).detach()
    assert loss(Recipe(), network, batch) == pytest.approx(float(apart.abs().mean()))
    assert loss(Recipe(), network, batch) == float(l1(network, *batch).detach())
    squared = loss(Recipe(loss="l2"), network, batch)
    assert squared == pytest.approx(float(apart.square().mean()))
    rounded = loss(Recipe(loss="charbonnier"), network, batch)
    assert rounded == pytest.approx(float(charbonnier(apart, torch.zeros_like(apart))))


def test_a_teacher_has_its_share(architecture: Architecture, batch: Batch) -> None:
    student, teacher = build(architecture), build(architecture)
    with torch.no_grad():
        # Its answers beyond 0..1 are no photos.
        teacher.upsampler.conv.bias += 0.5  # type: ignore[union-attr, operator]
        answers = teacher(batch[0])
    assert float(answers.max()) > 1
    photos = loss(Recipe(), student, batch)
    response = float((student(batch[0]) - answers.clamp(0, 1)).abs().mean().detach())
    shared = loss(Recipe(teacher_share=0.3), student, batch, teacher)
    assert shared == pytest.approx(0.7 * photos + 0.3 * response)
    assert loss(Recipe(teacher_share=0), student, batch, teacher) == photos
