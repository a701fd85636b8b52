from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from compress.calibration import crops
from compress.int8_candidate import Candidate
from compress.qat import qat
from nas.data import Photo
from nas.deploy.int8_formats import INT8_FORMATS
from nas.deploy.onnx_graph import read_graph
from nas.evaluate.validate import validate
from nas.training.recipe import Recipe
from search_spaces import InputError, Network
from tests.compress_tests.quantized import tiny
from tests.requirements import needs

Photos = tuple[list[Photo], list[Photo]]
RECIPE = Recipe(
    steps=24, batch=2, lr_size=16, learning_rate=0.05, warmup_steps=1, averaged_share=0.3
)


@pytest.fixture(scope="module")
def network() -> Network:
    needs("ai-edge-litert")
    return tiny()


@pytest.fixture
def one(network: Network, photos: Photos, tmp_path: Path) -> Candidate:
    images = crops(photos[0], 2, count=2, side=24)
    judging = photos[1][:1]
    made = Candidate(network, tmp_path / "ptq", images, judging, INT8_FORMATS[".tflite"])
    made.calibrate(["minmax"], ["image_skip.conv"])
    return made


def test_weights_and_ranges_learn_to_be_rounded_as_the_file_rounds_them(
    one: Candidate, network: Network, photos: Photos, tmp_path: Path
) -> None:
    from nas.deploy.litert.int8 import rounding_of
    from nas.deploy.litert.simulation import Simulation

    losses: list[float] = []
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    exact = ["image_skip.conv"]
    made = one.taught(
        tmp_path / "qat", photos[0], RECIPE, exact, on_step=lambda _, loss: losses.append(loss)
    )
    assert len(losses) == RECIPE.steps
    assert min(losses[-4:]) < losses[0]
    assert made.best_db > one.best_db - 0.01
    assert made.ranges["minmax"] != one.ranges["minmax"]
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())

    graph = read_graph(onnx.load(str(made.path)))
    ranges = made.ranges["minmax"]
    draft = rounding_of(graph, ranges, float_layers=exact, rounded=made.rounded)
    simulated = validate(Simulation(draft, graph), one.validation, 2)
    assert simulated.psnr_y_db == pytest.approx(made.best_db, abs=0.01)


def test_it_takes_litert(one: Candidate, network: Network, photos: Photos, tmp_path: Path,
                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    def without(name: str, *rest: Any) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", without)
    with pytest.raises(InputError, match=r"nas-sr\[litert\]"):
        qat(network, one.path, tmp_path / "a.onnx", photos[0], RECIPE, ranges={})
