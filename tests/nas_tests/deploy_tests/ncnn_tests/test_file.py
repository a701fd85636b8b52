"""ncnn's files give what the network gives, at every size, whatever parts it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from nas.deploy.ncnn.file import export_ncnn
from nas.deploy.ncnn.layer import Layer
from nas.deploy.ncnn.runtime import open_run
from nas.deploy.parity import check_parity
from nas.upscale.runtime_network import RuntimeNetwork
from nas.upscale.upscaler import Upscaler
from search_spaces import Network
from search_spaces.errors import NotPossible
from tests.nas_tests.deploy_tests.conftest import lively, make
from tests.nas_tests.deploy_tests.every_part import EVERY_PART, untried
from tests.nas_tests.deploy_tests.test_graphs import SIZES
from tests.requirements import needs

needs("onnxscript", "ncnn")

EXACT = 1e-5


@pytest.fixture(scope="module", params=list(EVERY_PART))
def network(request: pytest.FixtureRequest) -> Network:
    return lively(**EVERY_PART[request.param])


def test_every_part_is_tried() -> None:
    assert not untried([make(**fields).architecture for fields in EVERY_PART.values()])


def test_it_takes_any_size(network: Network, tmp_path: Path) -> None:
    parity = export_ncnn(network, tmp_path / "net.param")
    assert parity.difference <= EXACT
    run = open_run(tmp_path / "net.param")
    assert check_parity(network, run, sizes=SIZES).difference <= EXACT
    assert {one.name for one in tmp_path.iterdir()} == {"net.param", "net.bin"}


class Wild(nn.Module):
    """What no layer of ncnn stands for."""

    def forward(self, x: Tensor) -> Tensor:
        return x.cumsum(1)


def test_an_operator_without_a_layer_is_named_in_one_line(tmp_path: Path) -> None:
    network = make(blocks=["spab"])
    network.blocks[0] = Wild()
    with pytest.raises(NotPossible, match="no layer for the operator CumSum") as caught:
        export_ncnn(network, tmp_path / "net.param")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_differs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = lively(image_skip="linear")

    def other(layers: Sequence[Layer]) -> list[Layer]:
        return [replace(one, params={0: 0.1}) if one.kind == "ReLU" else one for one in layers]

    monkeypatch.setattr("nas.deploy.ncnn.file.fused", other)
    with pytest.raises(NotPossible, match="differs from the network by"):
        export_ncnn(network, tmp_path / "net.param")
    assert not list(tmp_path.iterdir())


def test_an_image_in_tiles(tmp_path: Path) -> None:
    network = lively(image_skip="linear")
    export_ncnn(network, tmp_path / "net.param")
    pixels = np.random.default_rng(0).integers(0, 256, (70, 81, 3), np.uint8)
    expected = Upscaler(network).enlarge(pixels).astype(int)
    for one in (
        RuntimeNetwork.of_file(tmp_path / "net.param"),
        RuntimeNetwork.of_network(network, "ncnn"),
    ):
        assert (one.runtime, one.framed, one.scale) == ("ncnn", False, 3)
        assert one.architecture == network.architecture
        upscaler = Upscaler(one, tile=48)
        # Its tiles know nothing of the whole image, which ESA looks at.
        assert upscaler.shows_seams
        assert upscaler.enlarge(pixels).shape == expected.shape
        assert np.abs(Upscaler(one).enlarge(pixels).astype(int) - expected).max() <= 1
