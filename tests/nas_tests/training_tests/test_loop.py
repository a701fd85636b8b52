from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nas.data import Patches
from nas.training.first_weights import set_first_weights
from nas.training.loop import Diverged, train
from nas.training.losses import l1
from nas.training.recipe import Recipe
from nas.training.state import TrainState, seeded, start
from search_spaces import Network
from search_spaces.errors import InputError

Fresh = Callable[..., TrainState]


def weights(network: nn.Module) -> list[Tensor]:
    return [value.detach().clone() for value in network.state_dict().values()]


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(weights(a), weights(b), strict=True))


def note(losses: list[float], step: int, loss: float) -> None:
    losses.append(loss)
    assert len(losses) == step


def test_two_trainings_agree_to_the_last_bit_and_learn(
    fresh: Fresh, patches: Patches, recipe: Recipe
) -> None:
    losses: tuple[list[float], list[float]] = ([], [])
    states = []
    for seen in losses:
        torch.rand(3)  # the caller's random numbers have no part in it
        states.append(train(fresh(), patches, recipe, on_step=partial(note, seen)))
    assert losses[0] == losses[1]
    assert len(losses[0]) == recipe.steps
    assert losses[0][-1] < losses[0][0]
    assert same(states[0].network, states[1].network)
    assert same(states[0].averaged(), states[1].averaged())
    assert not same(states[0].network, states[0].averaged())


@pytest.mark.parametrize("pause", [1, 5, 11])
def test_paused_saved_and_resumed_equals_uninterrupted(
    fresh: Fresh, patches: Patches, recipe: Recipe, tmp_path: Path, pause: int
) -> None:
    whole = train(fresh(), patches, recipe)
    train(fresh(), patches, recipe, pause).save(tmp_path / "state.pt")
    resumed = fresh(seed=1).load(tmp_path / "state.pt")
    assert resumed.step == pause
    train(resumed, patches, recipe)
    assert same(whole.network, resumed.network)
    assert same(whole.averaged(), resumed.averaged())
    assert (whole.recent_loss, whole.best_loss) == (resumed.recent_loss, resumed.best_loss)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("pause", [1, 5, 11])
def test_a_network_with_muon_goes_on_to_the_same_bits(
    make_network: Callable[..., Network], patches: Patches, recipe: Recipe, tmp_path: Path,
    pause: int, precision: str,
) -> None:  # fmt: skip
    muon = recipe.replace(optimizer="muon", filter_rate=0.2, precision=precision)

    def begun() -> TrainState:
        network = make_network()
        set_first_weights(network, patches, muon.replace(first_weights="photos"))
        return start(network, muon)

    losses: list[float] = []
    whole = train(begun(), patches, muon, on_step=partial(note, losses))
    assert min(losses[-3:]) < losses[0]
    train(begun(), patches, muon, pause).save(tmp_path / "state.pt")
    resumed = start(make_network(), muon).load(tmp_path / "state.pt")
    assert resumed.step == pause
    train(resumed, patches, muon)
    assert same(whole.network, resumed.network)
    assert same(whole.averaged(), resumed.averaged())
    trained = {name for name, _ in whole.network.named_parameters()}
    fresh = make_network().state_dict()
    moved = {n for n in trained if not torch.equal(fresh[n], whole.network.state_dict()[n])}
    assert moved == trained


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_average_is_the_closed_form(
    fresh: Fresh, patches: Patches, recipe: Recipe, share: float
) -> None:
    state, recipe = fresh(), recipe.replace(averaged_share=share)
    past: list[list[Tensor]] = []
    for step in range(1, 5):
        train(state, patches, recipe, step)
        past.append(weights(state.network))
    # Step t weighs what its share of a growing power is: t ** p - (t - 1) ** p of 4 ** p.
    power = 1 / share if share else math.inf
    shares = [(t / 4) ** power - ((t - 1) / 4) ** power for t in range(1, 5)]
    assert sum(shares) == pytest.approx(1)
    for got, *history in zip(weights(state.averaged()), *past, strict=True):
        expected = sum(weight * value for weight, value in zip(shares, history, strict=True))
        torch.testing.assert_close(got, expected, rtol=1e-6, atol=1e-7)
    assert not any(mean.requires_grad for mean in state.average)


def test_average_before_the_first_step_is_the_network(fresh: Fresh, recipe: Recipe) -> None:
    state = fresh()
    assert same(state.averaged(), state.network)


def test_warm_up_rises_linearly_and_stays(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    state, rates = fresh(), []
    train(
        state,
        patches,
        recipe,
        7,
        on_step=lambda *_: rates.append(state.optimizer.state_dict()[0]["param_groups"][0]["lr"]),
    )
    rate = recipe.learning_rate
    expected = [rate / 4, rate / 2, rate * 3 / 4, rate, rate, rate, rate]
    assert rates == pytest.approx(expected)


def test_long_gradients_are_clipped(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    clipped = recipe.replace(clip_norm=1e-3)
    state = train(fresh(), patches, clipped, 1)
    grads = [p.grad for p in state.network.parameters() if p.grad is not None]
    norm = math.sqrt(sum(float(g.square().sum()) for g in grads))
    assert norm == pytest.approx(1e-3, rel=1e-2)


def test_nan_ends_with_its_reason(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    state = train(fresh(), patches, recipe, 3)
    with torch.no_grad():
        next(state.network.parameters()).fill_(math.nan)
    with pytest.raises(Diverged, match=r"diverged: the loss is nan at step 4") as caught:
        train(state, patches, recipe)
    assert caught.value.step == 4
    assert math.isnan(caught.value.loss)


def test_explosion_ends_with_its_reason(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    state = train(fresh(), patches, recipe, 3)
    with torch.no_grad():
        for parameter in state.network.parameters():
            parameter.mul_(50)
    with pytest.raises(Diverged, match="the loss rose from") as caught:
        train(state, patches, recipe)
    assert caught.value.step == 4


def test_an_objective_of_ones_own(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    teacher = copy.deepcopy(fresh(seed=5).network)

    def distil(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        with torch.no_grad():
            target = teacher(lr).float()
        return l1(network, lr, target) + 0 * hr.mean()

    ended = train(fresh(), patches, recipe, objective=distil)
    assert not same(ended.network, train(fresh(), patches, recipe).network)


def test_one_colour_trains_on_luma(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    shapes = []

    def look(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        shapes.append((lr.shape, hr.shape))
        assert 16 / 255 - 1e-6 <= float(hr.min()) <= float(hr.max()) <= 235 / 255 + 1e-6
        return l1(network, lr, hr)

    train(fresh(colors=1), patches, recipe, 1, objective=look)
    assert shapes == [((2, 1, 8, 8), (2, 1, 16, 16))]


def test_frozen_parameters_stay(patches: Patches, fresh: Fresh, recipe: Recipe) -> None:
    network = fresh().network
    for parameter in network.get_submodule("inner").parameters():
        parameter.requires_grad_(False)
    before = weights(network.get_submodule("inner"))
    state = train(start(network, recipe), patches, recipe)
    after = weights(state.network.get_submodule("inner"))
    assert all(torch.equal(x, y) for x, y in zip(before, after, strict=True))


def test_a_damaged_or_foreign_state_is_one_clear_line(
    fresh: Fresh, recipe: Recipe, tmp_path: Path
) -> None:
    path = tmp_path / "state.pt"
    path.write_bytes(b"no state")
    with pytest.raises(InputError, match="cannot resume the training from"):
        fresh().load(path)
    fresh(colors=1).save(path)
    with pytest.raises(InputError, match="cannot resume the training from"):
        fresh().load(path)


def test_seeded_leaves_the_callers_random_numbers() -> None:
    torch.manual_seed(9)
    expected = torch.rand(2)
    torch.manual_seed(9)
    first = seeded(lambda: torch.rand(2), 1)
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(first, seeded(lambda: torch.rand(2), 1))
    assert not torch.equal(first, seeded(lambda: torch.rand(2), 2))


def test_pause_stops_after_a_step_and_goes_on_to_the_same_bits(
    fresh: Fresh, patches: Patches, recipe: Recipe
) -> None:
    whole, parts = train(fresh(), patches, recipe), fresh()
    asked: list[int] = []

    def pause() -> bool:
        asked.append(parts.step)
        return parts.step % 5 == 0

    starts = 0
    while parts.step < recipe.steps:
        train(parts, patches, recipe, pause=pause)
        starts += 1
    assert starts == 3
    assert asked == list(range(1, recipe.steps + 1))
    assert same(whole.network, parts.network)


def test_the_recipes_loss_is_trained_on(fresh: Fresh, patches: Patches, recipe: Recipe) -> None:
    squared = recipe.replace(loss="l2")
    losses: list[float] = []
    train(fresh(), patches, squared, 1, on_step=partial(note, losses))
    batch = patches.batch(0)
    output = fresh().network(batch.lr.float() / 255)
    expected = (output - batch.hr.float() / 255).square().mean().detach()
    assert losses[0] == pytest.approx(float(expected), rel=2e-2)


def test_gradients_stay_as_long_as_they_are_without_a_clip(
    fresh: Fresh, patches: Patches, recipe: Recipe
) -> None:
    def norm(clip: float | None) -> float:
        state = train(fresh(), patches, recipe.replace(clip_norm=clip), 1)
        grads = [p.grad for p in state.network.parameters() if p.grad is not None]
        return math.sqrt(sum(float(g.square().sum()) for g in grads))

    assert norm(None) == pytest.approx(norm(1e6))
    assert norm(None) > norm(1e-3)
