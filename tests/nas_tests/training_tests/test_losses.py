from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from nas.training.losses import DISTANCES, charbonnier, l1, objective_of
from nas.training.recipe import Loss, Recipe
from search_spaces import Architecture, Network, build

Batch = tuple[Tensor, Tensor]
Values = npt.NDArray[np.float64]


def transform(length: int) -> npt.NDArray[np.complex128]:
    """The matrix of the discrete Fourier transform, from its definition."""
    turns = np.outer(np.arange(length), np.arange(length)) / length
    return np.asarray(np.exp(-2j * np.pi * turns))


def spectra_apart(output: Values, wanted: Values) -> float:
    *_, height, width = output.shape
    whole = [transform(height) @ one @ transform(width) for one in (output, wanted)]
    # The other columns are mirror images of these.
    apart = (whole[0] - whole[1])[..., : width // 2 + 1]
    return float(np.mean([np.abs(apart.real), np.abs(apart.imag)]))


def gradients_apart(output: Values, wanted: Values) -> float:
    def mean_of(across: Callable[[Values], Values]) -> float:
        return float(np.mean(np.abs(across(output) - across(wanted))))

    return (
        mean_of(lambda x: x[..., 1:] - x[..., :-1])
        + mean_of(lambda x: x[..., 1:, :] - x[..., :-1, :])
    ) / 2


REFERENCES: dict[Loss, Callable[[Values, Values], float]] = {
    "l1": lambda output, wanted: float(np.mean(np.abs(output - wanted))),
    "l2": lambda output, wanted: float(np.mean((output - wanted) ** 2)),
    "charbonnier": lambda output, wanted: float(np.mean(np.sqrt((output - wanted) ** 2 + 1e-6))),
    "fft": spectra_apart,
    "gradient": gradients_apart,
}


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


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("size", [(12, 12), (9, 14), (2, 2)])
def test_each_loss_is_its_reference(name: Loss, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    output, wanted = rng.random((2, 2, 3, *size))
    given = torch.from_numpy(output).requires_grad_()
    found = DISTANCES[name](given, torch.from_numpy(wanted))
    expected = REFERENCES[name](output, wanted)
    assert float(found.detach()) == pytest.approx(expected, rel=1e-12)
    found.backward()
    assert given.grad is not None
    assert bool(given.grad.isfinite().all())
    assert float(given.grad.abs().max()) > 0


def test_each_of_a_recipes_losses(architecture: Architecture, batch: Batch) -> None:
    network = build(architecture)
    output, wanted = (x.detach().double().numpy() for x in (network(batch[0]), batch[1]))
    assert loss(Recipe(), network, batch) == float(l1(network, *batch).detach())
    for name, reference in REFERENCES.items():
        expected = pytest.approx(reference(output, wanted), rel=1e-5)
        assert loss(Recipe(loss=name), network, batch) == expected


def test_a_weighted_sum_of_losses(architecture: Architecture, batch: Batch) -> None:
    network = build(architecture)
    alone = {name: loss(Recipe(loss=name), network, batch) for name in DISTANCES}
    weights: dict[Loss, float] = {"l1": 1, "fft": 0.05, "gradient": 0.3}
    expected = sum(weight * alone[name] for name, weight in weights.items())
    assert loss(Recipe(loss=weights), network, batch) == pytest.approx(expected)
    assert loss(Recipe(loss={"l2": 2.0}), network, batch) == pytest.approx(2 * alone["l2"])


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


def test_a_teachers_share_is_of_the_whole_sum(architecture: Architecture, batch: Batch) -> None:
    student, teacher = build(architecture), build(architecture)
    weights: dict[Loss, float] = {"l1": 1, "fft": 0.1}
    both = Recipe(loss=weights, teacher_share=0.25)
    with torch.no_grad():
        answers = teacher(batch[0]).clamp(0, 1)
    parts = [loss(Recipe(loss=weights), student, (batch[0], one)) for one in (batch[1], answers)]
    expected = 0.75 * parts[0] + 0.25 * parts[1]
    assert loss(both, student, batch, teacher) == pytest.approx(expected)
