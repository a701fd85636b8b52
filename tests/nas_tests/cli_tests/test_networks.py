"""Every command takes every kind of network that it can use, by the same names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nas
from nas.deploy.folder import export_folder
from nas.networks import (
    any_network,
    architecture_of,
    shipped_card,
    trained_network,
    weights_file,
)
from search_spaces import Architecture, build, load, preset, save_weights
from search_spaces.errors import InputError
from tests.made_up_shipped import ship
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]
PRESET = "rlfn"
SHIPPED = "x4-made-up"
TRAINED = ("weights", "run", "folder", "shipped")
ANY = (*TRAINED, "config", "preset")

# What a command says, or complains of, once it has the network: cheaper than all of its work.
COMMANDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "describe": (ANY, ("describe", "NET", "--no-latency"), "Multi-Adds"),
    "latency": (ANY, ("latency", "NET", "--rounds", "1", "--size", "16x16"), "Median"),
    "train": (ANY, ("train", "NET", "--recipe", "smoke", "--data", "NONE"), "photo folder"),
    "distill": (
        ANY,
        ("compress", "distill", "NET", "--teacher", "OTHER", "--data", "NONE", "-o", "OUT"),
        "photo folder",
    ),
    "export": (ANY, ("export", "NET", "-o", "OUT.yaml"), "written to"),
    "export weights": (TRAINED, ("export", "NET", "-o", "OUT.safetensors"), "written to"),
    "evaluate": (TRAINED, ("evaluate", "NET", "--set", "IMAGES"), "mean"),
    "upscale": (TRAINED, ("upscale", "IMAGES", "-o", "OUT", "--net", "NET"), "-> "),
    "fold": (TRAINED, ("compress", "fold", "NET", "-o", "OUT"), "Written to"),
    "prune": (
        TRAINED,
        ("compress", "prune", "NET", "--budget", "1%", "-o", "OUT"),
        "below the network's floor",
    ),
    "auto": (
        TRAINED,
        ("compress", "auto", "NET", "--budget", "1%", "-o", "OUT"),
        "below the network's floor",
    ),
    "quantize": (
        TRAINED,
        ("compress", "quantize", "NET", "-o", "OUT.onnx", "--data", "NONE"),
        "photo folder",
    ),
}


@pytest.fixture(scope="module")
def places(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks of each kind, but for presets."""
    base = tmp_path_factory.mktemp("networks")
    best = load(finished.folder / "best.safetensors")
    export_folder(best, base / "exported", source="a test", notes=[])
    images = base / "images"
    images.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(noise).save(images / "noise.png")
    save_weights(build(preset(PRESET)), base / "other.safetensors")
    ship(base / "shipped", SHIPPED, best)
    return {
        "shipped": Path(SHIPPED),
        "weights": finished.folder / "best.safetensors",
        "config": finished.folder / "best.yaml",
        "run": finished.folder,
        "folder": base / "exported",
        "IMAGES": images,
        "OTHER": base / "other.safetensors",
        "NONE": base / "nowhere",
        "SHIPPED": base / "shipped",
    }


@pytest.fixture(autouse=True)
def _shipped(places: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas.shipped.catalog.FOLDER", places["SHIPPED"])


@pytest.mark.parametrize("kind", ANY)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_every_kind(
    name: str, kind: str, command: Command, places: dict[str, Path], tmp_path: Path
) -> None:
    kinds, words, reached = COMMANDS[name]

    def given(word: str) -> str:
        if word == "NET":
            return str(places.get(kind, PRESET))
        return str(places.get(word, word)).replace("OUT", str(tmp_path / "out"))

    outcome = command(*map(given, words))
    said = outcome.out + outcome.err
    if kind in kinds:
        assert reached in said
    else:
        wanted = "presets have no trained weights" if kind == "preset" else "without weights"
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert wanted in said


@pytest.mark.parametrize("name", COMMANDS)
def test_trials_are_those_of_runs(
    name: str, command: Command, places: dict[str, Path], tmp_path: Path
) -> None:
    if name == "latency":
        pytest.skip("it takes several networks")
    words = [
        str(places.get("weights" if word == "NET" else word, word)).replace(
            "OUT", str(tmp_path / "out")
        )
        for word in COMMANDS[name][1]
    ]
    # Of a training, the trial is the second word.
    words[2:2] = ["7"] if name == "train" else []
    outcome = command(*words, *([] if name == "train" else ["--trial", "7"]))
    assert outcome.code == 2
    assert "'7': only a run folder has trials" in outcome.err


def test_another_trial_of_a_run(command: Command, finished: Finished) -> None:
    for record in nas.open_run(finished.folder).records():
        options = ("--trial", record.number, "--no-latency", "--json")
        told = json.loads(command("describe", finished.folder, *options).out)
        assert told["hash"] == record.architecture_hash


def test_what_the_names_mean(places: dict[str, Path], tmp_path: Path) -> None:
    best = Architecture.load(places["config"])
    for kind in ("weights", "config", "run", "folder", "shipped"):
        assert architecture_of(places[kind]) == any_network(places[kind]).architecture == best
    assert architecture_of(PRESET, 3) == any_network(PRESET, 3).architecture == preset(PRESET, 3)
    assert weights_file(places["weights"]) == places["weights"]
    assert weights_file(places["folder"]) == places["folder"] / "weights.safetensors"
    assert weights_file(SHIPPED) == places["SHIPPED"] / f"{SHIPPED}.safetensors"
    assert not any(weights_file(name) for name in (places["run"], places["config"], PRESET))
    with pytest.raises(InputError, match=r"no such file; expected a \.safetensors file"):
        trained_network(tmp_path / "gone.safetensors")
    checkpoint = tmp_path / "net.pth"
    checkpoint.touch()
    with pytest.raises(InputError, match="published checkpoints have to be imported first"):
        trained_network(checkpoint)


def test_what_ships_has_a_card_unless_a_file_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = shipped_card(SHIPPED)
    assert card is not None
    assert card.hash == trained_network(SHIPPED).architecture.hash
    assert not any(map(shipped_card, (PRESET, "net.safetensors", "x4_made_up")))
    with pytest.raises(InputError, match=f"no network 'x4-made' ships: did you mean '{SHIPPED}'"):
        shipped_card("x4-made")
    with pytest.raises(InputError, match=f"the name of a network that ships: {SHIPPED}$"):
        trained_network(PRESET)
    monkeypatch.chdir(tmp_path)
    (tmp_path / SHIPPED).mkdir()
    assert shipped_card(SHIPPED) is None
    assert weights_file(SHIPPED) is None


def test_a_training_takes_what_ships_for_a_start_and_for_a_teacher(
    command: Command, tmp_path: Path
) -> None:
    train = ("train", PRESET, "--recipe", "smoke", "--no-tensorboard", "--run", tmp_path / "run")
    outcome = command(*train, "--init", SHIPPED)
    assert "the weights are of another network" in outcome.err
    assert outcome.code == 2
    outcome = command(*train, "--scale", 2, "--teacher", SHIPPED)
    assert "teacher" in outcome.err
    assert outcome.code == 2


def test_fresh_weights_are_those_of_the_seed() -> None:
    one, same, other = (any_network(PRESET, 2, seed=seed) for seed in (3, 3, 4))
    stems = [next(iter(net.state_dict().values())) for net in (one, same, other)]
    assert stems[0].equal(stems[1])
    assert not stems[0].equal(stems[2])
