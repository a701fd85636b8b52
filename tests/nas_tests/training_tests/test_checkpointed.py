from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nas.stopping as stopping
import nas.training.checkpointed as checkpointed
from nas.data import Patches
from nas.training.checkpointed import train_checkpointed
from nas.training.loop import train
from nas.training.losses import l1
from nas.training.recipe import Recipe
from nas.training.state import TrainState

Fresh = Callable[..., TrainState]
AT = 5


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def interrupting(times: int, number: int) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """A loss in whose step ``AT`` signals come, before the optimiser has done anything."""
    calls = 0

    def measure(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        for _ in range(times if calls == AT else 0):
            signal.raise_signal(number)
        return l1(network, lr, hr)

    return measure


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_waits_for_the_step_and_costs_nothing(
    fresh: Fresh, patches: Patches, recipe: Recipe, tmp_path: Path, number: int
) -> None:
    state, path = fresh(), tmp_path / "state.pt"
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        train_checkpointed(state, patches, recipe, path, objective=interrupting(1, number))
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    resumed = fresh(seed=1).load(path)
    assert resumed.step == AT
    train_checkpointed(resumed, patches, recipe, path)
    assert same(resumed.network, train(fresh(), patches, recipe).network)


def test_whoever_asks_twice_does_not_wait(
    fresh: Fresh, patches: Patches, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "ONE_WISH_S", -1.0)
    monkeypatch.setattr(checkpointed, "_CHECKPOINT_SECONDS", -1.0)
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        train_checkpointed(fresh(), patches, recipe, path, objective=interrupting(2, signal.SIGINT))
    # The step was left in its middle: what was saved before it counts.
    resumed = fresh().load(path)
    assert resumed.step == AT - 1
    train(resumed, patches, recipe)
    assert same(resumed.network, train(fresh(), patches, recipe).network)


def test_an_observer_may_interrupt(
    fresh: Fresh, patches: Patches, recipe: Recipe, tmp_path: Path
) -> None:
    def stop(step: int, loss: float) -> None:
        if step == AT:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_checkpointed(fresh(), patches, recipe, tmp_path / "state.pt", on_step=stop)
    assert fresh().load(tmp_path / "state.pt").step == AT


def test_without_a_checkpoint_nothing_is_written(
    fresh: Fresh, patches: Patches, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train_checkpointed(fresh(), patches, recipe, None, objective=interrupting(1, signal.SIGINT))
    assert not list(tmp_path.iterdir())


def test_in_a_thread_it_trains_as_well(
    fresh: Fresh, patches: Patches, recipe: Recipe, tmp_path: Path
) -> None:
    state = fresh()
    arguments: tuple[Any, ...] = (state, patches, recipe, tmp_path / "state.pt")
    thread = threading.Thread(target=train_checkpointed, args=arguments)
    thread.start()
    thread.join()
    assert state.step == recipe.steps
