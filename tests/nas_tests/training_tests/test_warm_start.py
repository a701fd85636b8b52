"""What a training begins with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nas.training.events import (
    Saved,
    TrainingEvent,
)
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from nas.training.warm_start import initial_network
from search_spaces import Architecture, Network, build, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.training_tests.trainings import (
    muon,
    same,
    stopping,
)

Make = Callable[..., TrainSettings]


def same_stem(one: Network, other: Network) -> bool:
    return same(one.stem.state_dict(), other.stem.state_dict())


def test_first_weights_are_of_fresh_networks_alone(
    make: Make, full: FullRecipe, architecture: Architecture, tmp_path: Path
) -> None:
    def begun(init: Path | None) -> dict[str, torch.Tensor]:
        run = f"begun-{init is None}"
        found: dict[str, torch.Tensor] = {}

        def look(event: TrainingEvent) -> None:
            if isinstance(event, Saved) and event.step == 0:
                content = torch.load(tmp_path / run / "checkpoint.pt", weights_only=True)
                found.update(content["state"]["network"])

        train_fully(make(run, recipe=muon(full), init=init), look)
        return found

    file = tmp_path / "init.safetensors"
    given = initial_network(architecture, None, 7)
    save_weights(given, file)
    assert same(begun(file), given.state_dict())
    fresh, random = begun(None), initial_network(architecture, None, 0).state_dict()
    changed = {name for name in fresh if not torch.equal(fresh[name], random[name])}
    assert changed == {"stem.conv.weight", "stem.conv.bias", "image_skip.conv.weight"}


def test_after_another_scale_the_image_skip_alone_is_fitted(
    make: Make, full: FullRecipe, architecture: Architecture, tmp_path: Path
) -> None:
    file = tmp_path / "x3.safetensors"
    given = build(Architecture.from_dict(architecture.to_dict() | {"scale": 3}))
    save_weights(given, file)
    settings = make(recipe=muon(full), init=file)
    begun = initial_network(architecture, file, 0).state_dict()
    found: dict[str, torch.Tensor] = {}

    def look(event: TrainingEvent) -> None:
        if isinstance(event, Saved) and event.step == 0:
            content = torch.load(settings.run / "checkpoint.pt", weights_only=True)
            found.update(content["state"]["network"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_fully(settings, look)
    changed = {name for name in found if not torch.equal(found[name], begun[name])}
    assert changed == {"image_skip.conv.weight"}


def test_weights_to_begin_with(make: Make, architecture: Architecture, tmp_path: Path) -> None:
    file = tmp_path / "init.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = build(architecture)
    save_weights(network, file)
    begun = initial_network(architecture, file, 0)
    assert same(begun.state_dict(), network.state_dict())
    larger = Architecture.from_dict(architecture.to_dict() | {"scale": 3})
    other = initial_network(larger, file, 0)
    assert isinstance(other, Network)
    name = next(name for name in network.state_dict() if name.startswith("stem."))
    assert torch.equal(other.state_dict()[name], network.state_dict()[name])
    # The image skip's filters are those of a scale, as the upsampler's.
    fresh = initial_network(larger, None, 0).state_dict()
    for name in ("image_skip.conv.weight", "upsampler.conv.weight"):
        assert torch.equal(other.state_dict()[name], fresh[name])
    for skip in ("none", {"kind": "linear", "kernel": 7}):
        changed = larger.to_dict() | {"image_skip": skip}
        again = initial_network(Architecture.from_dict(changed), file, 0)
        assert same_stem(again, network)
        with pytest.raises(InputError, match=r"the first image_skip\.conv\.weight"):
            initial_network(Architecture.from_dict(changed | {"scale": 2}), file, 0)
    wider = Architecture.from_dict(architecture.to_dict() | {"channels": 10})
    with pytest.raises(InputError, match="the weights are of another network"):
        initial_network(wider, file, 0)
    with pytest.raises(KeyboardInterrupt):
        train_fully(make(init=file), stopping(1))
