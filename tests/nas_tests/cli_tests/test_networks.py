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
from nas.networks import any_network, architecture_of, trained_network, weights_file
from search_spaces import Architecture, build, load, preset, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Finished, Outcome

Command = Callable[..., Outcome]
PRESET = "rlfn"
TRAINED = ("weights", "run", "folder")
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
    return {
        "weights": finished.folder / "best.safetensors",
        "config": finished.folder / "best.yaml",
        "run": finished.folder,
        "folder": base / "exported",
        "IMAGES": images,
        "OTHER": base / "other.safetensors",
        "NONE": base / "nowhere",
    }


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
    for kind in ("weights", "config", "run", "folder"):
        assert architecture_of(places[kind]) == any_network(places[kind]).architecture == best
    assert architecture_of(PRESET, 3) == any_network(PRESET, 3).architecture == preset(PRESET, 3)
    assert weights_file(places["weights"]) == places["weights"]
    assert weights_file(places["folder"]) == places["folder"] / "weights.safetensors"
    assert not any(weights_file(name) for name in (places["run"], places["config"], PRESET))
    with pytest.raises(InputError, match=r"no such file; expected a \.safetensors file"):
        trained_network(tmp_path / "gone.safetensors")
    checkpoint = tmp_path / "net.pth"
    checkpoint.touch()
    with pytest.raises(InputError, match="published checkpoints have to be imported first"):
        trained_network(checkpoint)


def test_fresh_weights_are_those_of_the_seed() -> None:
    one, same, other = (any_network(PRESET, 2, seed=seed) for seed in (3, 3, 4))
    stems = [next(iter(net.state_dict().values())) for net in (one, same, other)]
    assert stems[0].equal(stems[1])
    assert not stems[0].equal(stems[2])
