"""A training goes on from where it stopped, and from nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from nas.training.events import (
    TrainingEvent,
    TrainingStarted,
)
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from search_spaces import Architecture, build, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.training_tests.trainings import (
    Whole,
    history,
    muon,
    same,
    stopping,
    weights,
)

Make = Callable[..., TrainSettings]


@hypothesis_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stops=st.lists(st.integers(1, 20), min_size=1, max_size=3, unique=True).map(sorted))
def test_a_training_stopped_anywhere_ends_with_the_same_bits(
    make: Make, whole: Whole, stops: list[int]
) -> None:
    folders = len(list(make().run.parent.iterdir()))
    parts = make(f"parts-{folders}")
    for step in stops:
        # One that is asked for in the last step finds nothing left to stop.
        with suppress(KeyboardInterrupt):
            train_fully(parts, stopping(step))
    events: list[TrainingEvent] = []
    train_fully(parts, events.append)
    assert isinstance(events[0], TrainingStarted)
    # It is seen when the losses of the next step are read.
    assert stops[-1] <= events[0].step <= stops[-1] + len(stops)
    assert same(weights(whole.run), weights(parts.run))
    assert same(weights(whole.run, "best"), weights(parts.run, "best"))
    assert history(whole.run) == history(parts.run)


@pytest.mark.parametrize("stops", [[1], [7], [3, 12, 15]])
def test_with_muon_and_first_weights_from_photos_it_ends_with_the_same_bits(
    make: Make, full: FullRecipe, with_muon: Whole, stops: list[int]
) -> None:
    parts = make("parts", recipe=muon(full))
    for step in stops:
        with pytest.raises(KeyboardInterrupt):
            train_fully(parts, stopping(step))
    train_fully(parts)
    assert same(weights(with_muon.run), weights(parts.run))
    assert history(with_muon.run) == history(parts.run)


def test_a_checkpoint_of_another_training_is_one_line(
    make: Make, full: FullRecipe, architecture: Architecture, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_fully(make(), stopping(3))
    wider = Architecture.from_dict(architecture.to_dict() | {"channels": 10})
    file = tmp_path / "init.safetensors"
    save_weights(build(architecture), file)
    for change, message in (
        ({"recipe": full.changed(batch=2)}, "another recipe;"),
        ({"recipe": full.changed(precision="bf16")}, "another precision"),
        ({"architecture": wider}, "another network;"),
        ({"seed": 1}, "another seed;"),
        ({"every": 4, "init": file}, r"another initial weights \(--init\) and another --validate"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            train_fully(make(**change))
        assert "\n" not in str(caught.value)
    train_fully(make())


@pytest.mark.parametrize("identity", [None, ["a"], 5])
def test_a_damaged_checkpoint_is_one_line(identity: object, make: Make, whole: Whole) -> None:
    shutil.copytree(whole.run, make().run)
    file = make().run / "checkpoint.pt"
    if identity is None:
        file.write_bytes(b"nothing")
    else:
        torch.save(torch.load(file, weights_only=True) | {"identity": identity}, file)
    with pytest.raises(InputError, match="cannot go on from") as caught:
        train_fully(make())
    assert "\n" not in str(caught.value)
