"""What a training does when its loss is no number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nas.training import session
from nas.training.events import (
    RolledBack,
    TrainingEvent,
    TrainingStep,
)
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from search_spaces.errors import InputError
from tests.nas_tests.training_tests.trainings import (
    broken,
    history,
    muon,
    weights,
)

Make = Callable[..., TrainSettings]


def test_a_divergence_goes_back_to_the_last_sound_step(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "train", broken(1))
    events: list[TrainingEvent] = []
    progress = train_fully(make(), events.append)
    back = [e for e in events if isinstance(e, RolledBack)]
    assert [(e.step, e.rate_factor) for e in back] == [(5, 0.5)]
    assert "the loss is nan at step 6" in back[0].reason
    assert progress.rate_factor == 0.5
    assert [row["step"] for row in history(make().run)] == ["5", "10", "12", "15", "20"]
    rates = {e.step: e.learning_rate for e in events if isinstance(e, TrainingStep)}
    first = make().recipe.phases[0]
    assert rates[5] == pytest.approx(first.rate(4))
    assert rates[6] == pytest.approx(first.rate(5) / 2)
    assert all(tensor.isfinite().all() for tensor in weights(make().run).values())


def test_a_divergence_slows_muon_too(
    make: Make, full: FullRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, list[float]] = {}
    broken_train = broken(1)

    def watched(state: Any, patches: Any, recipe: Any, until: int, **rest: Any) -> Any:
        done = broken_train(state, patches, recipe, until, **rest)
        if recipe.loss == "l1":
            rates = [one["param_groups"][0]["lr"] for one in state.optimizer.state_dict()]
            seen[state.step] = rates
        return done

    monkeypatch.setattr(session, "train", watched)
    settings = make(recipe=muon(full))
    progress = train_fully(settings)
    assert progress.rate_factor == 0.5
    first = settings.recipe.phases[0]
    for step, rates in seen.items():
        factor = 1.0 if step <= 5 else 0.5
        pace = factor * first.pace(step - 1)
        assert rates == pytest.approx([first.learning_rate * pace, 0.2 * pace])
    assert set(seen) == {5, 10, 12}


def test_a_second_divergence_ends_it_with_one_line(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "train", broken(2))
    with pytest.raises(InputError, match="again at half the step size") as caught:
        train_fully(make())
    assert "\n" not in str(caught.value)
