from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from compress.distill import Along, Distillation, Lessons, Teaching
from compress.finetune import finetune, forget
from nas.data import Dataset, Patches
from nas.training.loop import train
from nas.training.losses import l1
from nas.training.recipe import Recipe
from nas.training.state import start
from search_spaces import Network, build, preset
from search_spaces.errors import InputError

RECIPE = Recipe(
    steps=24, batch=2, lr_size=12, learning_rate=2e-3, warmup_steps=2, averaged_share=0.3,
    precision="fp32",
)  # fmt: skip


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(2, 3, 12, 12), torch.rand(2, 3, 24, 24)


def distance(one: Network, other: Network, dataset: Dataset) -> float:
    patches = Patches(dataset.validation, 2, lr_size=24, batch=8, seed=1)
    lr = patches.batch(0).lr.float() / 255
    with torch.no_grad():
        return float((one.eval()(lr) - other.eval()(lr)).abs().mean())


@pytest.mark.parametrize(
    "lessons",
    [
        Lessons(0, 1, 0),
        Lessons(0, 1, 1, "affinity"),
        Lessons(0, 1, 1, "gram"),
        Lessons(0, 1, 1, "l1"),
    ],
)
def test_a_student_comes_nearer_to_its_teacher(
    lessons: Lessons, tiny_network: Any, small_photos: Dataset
) -> None:
    student, teacher = tiny_network(channels=8, distilled=4), tiny_network(seed=1)
    module = Along(build(student.architecture), torch.nn.ModuleList())
    module.network.load_state_dict(student.state_dict())
    objective = Distillation(student, Teaching((teacher,), lessons))
    module.extra = objective.adapters
    state = start(module, RECIPE)
    patches = Patches(small_photos.train, 2, lr_size=12, batch=2, seed=0)
    train(state, patches, RECIPE, objective=objective)
    learned = state.averaged().network
    assert isinstance(learned, Network)
    before = distance(student, teacher, small_photos)
    assert distance(learned, teacher, small_photos) < 0.9 * before


@pytest.mark.parametrize("comparison", ["affinity", "gram", "l1"])
def test_adapters_are_trained_along_and_are_not_in_the_result(
    comparison: str, tiny_network: Any, small_photos: Dataset
) -> None:
    student, teacher = tiny_network(channels=8, distilled=4), tiny_network(seed=1)
    teaching = Teaching((teacher,), Lessons(1, 1, 1, comparison))
    objective = Distillation(student, teaching)
    count = sum(1 for _ in objective.adapters.parameters())
    assert count == (0 if comparison == "affinity" else 2)
    tuned = finetune(student, small_photos, RECIPE, teaching=teaching)
    assert tuned.network.architecture == student.architecture
    assert tuned.network.state_dict().keys() == student.state_dict().keys()
    # They learn, or features of another width would be compared with noise.
    module = Along(build(student.architecture), objective.adapters)
    before = [p.detach().clone() for p in objective.adapters.parameters()]
    patches = Patches(small_photos.train, 2, lr_size=12, batch=2, seed=0)
    train(start(module, RECIPE), patches, RECIPE, 3, objective=objective)
    for was, now in zip(before, objective.adapters.parameters(), strict=True):
        assert not torch.equal(was, now)


def test_the_teacher_stays_as_it_is(tiny_network: Any, small_photos: Dataset) -> None:
    student, teacher = tiny_network(), tiny_network(seed=1)
    before = {name: tensor.clone() for name, tensor in teacher.state_dict().items()}
    finetune(student, small_photos, RECIPE, teaching=Teaching((teacher,)))
    assert all(torch.equal(before[name], t) for name, t in teacher.state_dict().items())
    assert all(p.requires_grad for p in teacher.parameters())


def test_the_loss_is_the_weighted_sum(tiny_network: Any, batch: Any) -> None:
    student, one, other = (tiny_network(seed=k) for k in range(3))

    def loss(teachers: tuple[Network, ...], lessons: Lessons, weights: Any = None) -> float:
        objective = Distillation(student, Teaching(teachers, lessons, weights))
        with torch.no_grad():
            return float(objective(student, *batch))

    with torch.no_grad():
        photos, apart = float(l1(student, *batch)), student(batch[0]) - one(batch[0])
    assert loss((one,), Lessons(2, 0, 0)) == pytest.approx(2 * photos)
    first, second = (loss((t,), Lessons(0, 1, 0)) for t in (one, other))
    assert first == pytest.approx(float(apart.abs().mean()))
    assert loss((one, other), Lessons(0, 1, 0)) == pytest.approx((first + second) / 2)
    assert loss((one, other), Lessons(0, 1, 0), (3, 1)) == pytest.approx((3 * first + second) / 4)
    features = loss((one,), Lessons(0, 0, 1))
    assert features > 0
    assert loss((one,), Lessons(1, 1, 0.5)) == pytest.approx(photos + first + 0.5 * features)
    assert loss((student,), Lessons(0, 1, 1)) == pytest.approx(0, abs=1e-6)


def test_of_a_network_without_blocks_the_stem_is_compared() -> None:
    student, teacher = (build(preset(name, 2)) for name in ("espcn", "ecbsr_m4c16"))
    objective = Distillation(student, Teaching((teacher,), Lessons(0, 0, 1)))
    objective(student, torch.rand(2, 1, 12, 12), torch.rand(2, 1, 24, 24)).backward()
    assert all(p.grad is not None and p.grad.any() for p in student.stem.parameters())
    assert not any(p.grad is not None and p.grad.any() for p in student.upsampler.parameters())


@pytest.mark.parametrize("teaching", [True, False])
def test_a_stopped_training_goes_on_to_the_same_bits(
    teaching: bool, tiny_network: Any, small_photos: Dataset, tmp_path: Path
) -> None:
    student, teacher = tiny_network(channels=8, distilled=4), tiny_network(seed=1)
    taught = Teaching((teacher,), Lessons(comparison="gram")) if teaching else None
    whole = finetune(student, small_photos, RECIPE, teaching=taught)

    def stop(step: int, loss: float) -> None:
        if step == 10:
            raise KeyboardInterrupt

    place = tmp_path / "net"
    with pytest.raises(KeyboardInterrupt):
        finetune(student, small_photos, RECIPE, teaching=taught, checkpoint=place, on_step=stop)
    kept = list(tmp_path.iterdir())
    assert len(kept) == 1
    steps: list[int] = []
    again = finetune(
        student, small_photos, RECIPE, teaching=taught, checkpoint=place,
        on_step=lambda step, loss: steps.append(step),
    )  # fmt: skip
    assert steps == list(range(11, RECIPE.steps + 1))
    assert again.after_db == whole.after_db
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor)
    # Another training does not take this one's state for its own, nor a damaged one.
    steps.clear()
    kept[0].write_bytes(b"damaged")
    other = RECIPE.replace(learning_rate=1e-3)
    for recipe in (RECIPE, other):
        finetune(
            student, small_photos, recipe, teaching=taught, checkpoint=place,
            on_step=lambda step, loss: steps.append(step),
        )  # fmt: skip
    assert steps == 2 * list(range(1, RECIPE.steps + 1))
    forget(place)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda tiny: Teaching(()), "at least one teacher"),
        (lambda tiny: Teaching((tiny(scale=4),)), "is of scale 2, the teacher 4"),
        (lambda tiny: Teaching((tiny(),), weights=(1, 2)), "one weight for each of 1 teachers"),
        (lambda tiny: Teaching((tiny(),), weights=(0,)), "more than 0 each"),
        (lambda tiny: Teaching((tiny(),), weights=(float("nan"),)), "more than 0 each"),
        (lambda tiny: Teaching((tiny(),), Lessons(photos=-1)), "weight of photos"),
        (lambda tiny: Teaching((tiny(),), Lessons(features=float("inf"))), "weight of features"),
        (lambda tiny: Teaching((tiny(),), Lessons(0, 0, 0)), "nothing to learn from"),
        (lambda tiny: Teaching((tiny(),), Lessons(comparison="mse")), "affinity, gram, l1"),
    ],
)
def test_bad_teaching_is_one_line(make: Any, said: str, tiny_network: Any) -> None:
    with pytest.raises(InputError, match=said) as raised:
        Distillation(tiny_network(), make(tiny_network))
    assert "\n" not in str(raised.value)
