"""What every runtime of the table has to do; a new one is found there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from nas.deploy.formats import FORMATS
from nas.deploy.parity import check_parity
from nas.deploy.runtimes import RUNTIMES, TORCH, read_endings, runtime_of
from search_spaces import Network
from search_spaces.errors import InputError, MissingExtra
from tests.nas_tests.deploy_tests.conftest import lively
from tests.requirements import needs

ALL = list(RUNTIMES)
EXACT = 1e-5


@pytest.fixture(scope="module")
def network() -> Network:
    # As in the tests of graphs, which have exported it.
    return lively(image_skip="linear")


@pytest.fixture(scope="module")
def files(
    network: Network, tmp_path_factory: pytest.TempPathFactory, exports_once: None
) -> dict[str, Path]:
    """The network for every runtime."""
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for name, one in RUNTIMES.items():
        needs("onnxscript", one.package)
        made[name] = folder / f"net{one.ending}"
        if not made[name].exists():
            FORMATS[one.file_format].write(network, made[name])
    return made


@pytest.mark.parametrize("name", ALL)
def test_it_computes_what_the_network_computes(
    name: str, network: Network, files: dict[str, Path]
) -> None:
    opened = RUNTIMES[name].open(files[name], threads=1)
    (image,) = opened.inputs
    assert (image.kind, image.shape[1], image.shape[2:]) == ("float32", 3, (None, None))
    assert opened.outputs == 1
    assert opened.metadata["architecture_hash"] == network.architecture.hash
    found = check_parity(network, lambda given: opened.run({image.name: given}))
    assert found.difference <= EXACT
    # As images lie in memory whose colours are the last axis.
    channels_last = np.random.default_rng(0).random((2, 9, 14, 3), np.float32)
    turned = channels_last.transpose(0, 3, 1, 2)
    same = opened.run({image.name: np.ascontiguousarray(turned)})
    np.testing.assert_allclose(opened.run({image.name: turned}), same, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_a_file_that_is_none(
    name: str, files: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = files[name].read_bytes()
    for content in (b"", b"nothing of the kind\n", whole[:40], whole[: len(whole) // 2]):
        path = tmp_path / f"bad{RUNTIMES[name].ending}"
        path.write_bytes(content)
        for ending in FORMATS[RUNTIMES[name].file_format].beside:
            path.with_suffix(ending).write_bytes(files[name].with_suffix(ending).read_bytes())
        with pytest.raises(InputError, match=f"bad{RUNTIMES[name].ending}: ") as caught:
            RUNTIMES[name].open(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"gone.*: no such file"):
        RUNTIMES[name].open(tmp_path / f"gone{RUNTIMES[name].ending}")
    # The runtimes' own lines would come on top.
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ALL)
def test_a_missing_extra_is_named_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'nas-sr\[") as caught:
        RUNTIMES[name].open(tmp_path / f"net{RUNTIMES[name].ending}")
    assert "\n" not in str(caught.value)


def test_a_file_has_a_runtime_by_its_name() -> None:
    assert runtime_of("net.safetensors") is runtime_of("net.safetensors", TORCH) is None
    assert runtime_of("run", "openvino") is None
    assert runtime_of("NET.ONNX") == "onnxruntime"
    for ending in read_endings():
        able = [name for name, one in RUNTIMES.items() if one.ending == ending]
        assert runtime_of(f"net{ending}") == able[0]
        assert [runtime_of(f"net{ending}", name) for name in able] == able
        with pytest.raises(InputError, match=f"net{ending}: expected --runtime {able[0]}"):
            runtime_of(f"net{ending}", TORCH)
    with pytest.raises(InputError, match=r"--runtime: expected torch, onnxruntime.*, got tvm"):
        runtime_of("net.onnx", "tvm")


def test_openvino_tells_nobody_that_it_is_used(files: dict[str, Path]) -> None:
    RUNTIMES["openvino"].open(files["openvino"])
    sender = sys.modules["openvino.tools.ovc.telemetry_utils"].tm
    assert sender.__name__ == "openvino.tools.ovc.telemetry_stub"
