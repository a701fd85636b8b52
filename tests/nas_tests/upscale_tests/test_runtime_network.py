"""Upscaling in other runtimes gives what it gives in torch, in tiles too."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from nas.deploy.runtimes import RUNTIMES
from nas.upscale.runtime_network import RuntimeNetwork
from nas.upscale.upscaler import Upscaler
from search_spaces import Network, save_weights
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Outcome
from tests.nas_tests.foreign_graph import write_resize
from tests.nas_tests.upscale_tests.conftest import BLOCK, make

if os.environ.get("CI_REQUIRES_ALL") != "1":
    pytest.importorskip("onnxscript", reason="the extra export is not installed")

PhotoOf = Callable[..., npt.NDArray[np.uint8]]
Command = Callable[..., Outcome]
ESA, CCA = {"kind": "esa", "width": 4}, {"kind": "cca", "width": 2}
SHORT = {**BLOCK, "stages": 2}


class Kept(dict[str, Any]):
    """Networks and files made once: an export takes seconds."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, exports_once: None) -> Kept:
    from nas.deploy.onnx_file import export_onnx

    folder = tmp_path_factory.mktemp("onnx")
    made = Kept(esa=make(blocks=[{**SHORT, "attention": ESA}]), folder=folder)
    export_onnx(made["esa"], folder / "esa.onnx")
    made["framed"] = RuntimeNetwork.of_network(made["esa"])
    write_resize(folder / "double.onnx")
    write_resize(folder / "fixed.onnx", height=8)
    write_resize(folder / "same.onnx", factor=1)
    write_resize(folder / "five.onnx", factor=5)
    return made


def levels_apart(a: Any, b: Any) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def test_as_in_torch(kept: Kept, photo: PhotoOf) -> None:
    pixels = photo(40, 53)
    in_torch = Upscaler(kept["esa"]).enlarge(pixels)
    for network in (kept["framed"], RuntimeNetwork.of_file(kept["folder"] / "esa.onnx")):
        upscaler = Upscaler(network)
        assert (upscaler.scale, upscaler.colors) == (2, 3)
        assert levels_apart(upscaler.enlarge(pixels), in_torch) <= 1


@pytest.mark.parametrize("runtime", [name for name, one in RUNTIMES.items() if one.takes_frames])
def test_tiles_leave_no_seam(runtime: str, kept: Kept, photo: PhotoOf) -> None:
    pixels, framed = photo(130, 121), RuntimeNetwork.of_network(kept["esa"], runtime)
    assert framed.runtime == runtime
    whole = Upscaler(framed).enlarge(pixels)
    tiled = Upscaler(framed, tile=48, overlap=48)
    assert tiled.plan(130, 121).tile == 48
    assert levels_apart(tiled.enlarge(pixels), whole) <= 1
    assert not tiled.shows_seams
    assert Upscaler(RuntimeNetwork.of_file(kept["folder"] / "esa.onnx")).shows_seams


def test_tiles_of_a_linear_image_skip_leave_no_seam(photo: PhotoOf, tmp_path: Path) -> None:
    from nas.deploy.onnx_file import export_onnx

    network = make(image_skip="linear", blocks=[SHORT])
    with torch.no_grad():
        for weights in (*network.upsampler.parameters(), *network.image_skip.parameters()):
            weights.add_(torch.randn_like(weights), alpha=0.05)
    export_onnx(network, tmp_path / "net.onnx")
    in_file, pixels = RuntimeNetwork.of_file(tmp_path / "net.onnx"), photo(70, 81)
    whole = Upscaler(in_file).enlarge(pixels)
    assert levels_apart(whole, Upscaler(network).enlarge(pixels)) <= 1
    tiled = Upscaler(in_file, tile=32)
    assert tiled.plan(70, 81).tile == 32
    assert levels_apart(tiled.enlarge(pixels), whole) <= 1
    one = photo(1, 1)
    assert levels_apart(Upscaler(in_file).enlarge(one), Upscaler(network).enlarge(one)) <= 1


def test_global_pooling_is_not_cut(kept: Kept, photo: PhotoOf) -> None:
    network = replace(kept["framed"], architecture=make(CCA).architecture)
    pixels = photo(50, 60)
    Upscaler(network).enlarge(pixels)
    with pytest.raises(InputError, match="choose --runtime torch, or raise --memory"):
        Upscaler(network, tile=32).enlarge(pixels)


def test_a_file_of_another_maker(kept: Kept, photo: PhotoOf) -> None:
    network = RuntimeNetwork.of_file(kept["folder"] / "double.onnx")
    assert (network.architecture, network.scale, network.framed) == (None, 2, False)
    for channels in (1, 3, 4):
        pixels = photo(70, 45, channels)
        doubled = Upscaler(network, tile=32, alpha="network").enlarge(pixels)
        assert np.array_equal(doubled, pixels.repeat(2, 0).repeat(2, 1))
    # 256 MB are a tile of some 350 pixels: as large as the memory allows, seams or not.
    assert 200 < Upscaler(network).plan(5000, 5000).tile < 500


class Photos:
    """What int8 is calibrated on."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        image = pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255
        self._images: Iterator[dict[str, Any]] = iter([{"image": image}])

    def get_next(self) -> dict[str, Any] | None:
        """The next image, or None after the last."""
        return next(self._images, None)


def test_int8(kept: Kept, photo: PhotoOf) -> None:
    from onnxruntime.quantization import QuantType, quantize_static

    path, pixels = kept["folder"] / "int8.onnx", photo(40, 53)
    quantize_static(
        str(kept["folder"] / "esa.onnx"), str(path), Photos(pixels), per_channel=True,
        op_types_to_quantize=["Conv"],
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    upscaler = Upscaler(RuntimeNetwork.of_file(path))
    exact = Upscaler(kept["esa"]).enlarge(pixels).astype(int)
    off = np.abs(upscaler.enlarge(pixels).astype(int) - exact)
    assert 0 < off.mean() < 8


def test_what_is_no_enlarging_network(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"nothing of the kind")
    for path, told in (
        (tmp_path / "broken.onnx", "ONNX Runtime cannot load it"),
        (tmp_path / "gone.onnx", "no such file; expected an .onnx file"),
        (tmp_path / "net.tvm", "expected a name that ends in .onnx"),
        (kept["folder"] / "fixed.onnx", "cannot take an image of 33x32"),
        (kept["folder"] / "five.onnx", "expected an image 1, 2, 3 or 4 times as large"),
    ):
        with pytest.raises(InputError, match=told) as caught:
            RuntimeNetwork.of_file(path)
        assert "\n" not in str(caught.value)
    assert RuntimeNetwork.of_file(kept["folder"] / "same.onnx").scale == 1


def test_the_runtime_says_nothing_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import onnx

    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["in", "shape"], ["out"])], "fails",
        [helper.make_tensor_value_info("in", kind, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("out", kind, None)],
        [helper.make_tensor("shape", onnx.TensorProto.INT64, [4], [1, 3, 7, 13])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    onnx.save(model, str(tmp_path / "fails.onnx"))
    with pytest.raises(InputError, match="cannot take an image of 33x32"):
        RuntimeNetwork.of_file(tmp_path / "fails.onnx")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("wrong", [{"fast": True}, {"device": "cuda"}])
def test_what_only_torch_does(wrong: dict[str, Any], kept: Kept) -> None:
    with pytest.raises(InputError, match="choose --runtime torch"):
        Upscaler(kept["framed"], **wrong)


class TestCommand:
    @pytest.fixture
    def place(self, kept: Kept, photo: PhotoOf, tmp_path: Path) -> Path:
        Image.fromarray(photo(20, 31)).save(tmp_path / "a.png")
        network: Network = kept["esa"]
        save_weights(network, tmp_path / "net.safetensors")
        return tmp_path

    def test_a_file_and_a_runtime(self, command: Command, kept: Kept, place: Path) -> None:
        (place / "bad.png").write_bytes(b"no image")
        made = []
        for name, net, options in (
            ("torch", place / "net.safetensors", ()),
            ("onnx", place / "net.safetensors", ("--runtime", "onnxruntime")),
            ("openvino", kept["folder"] / "esa.onnx", ("--runtime", "openvino")),
            ("file", kept["folder"] / "esa.onnx", ("--scale", 2)),
        ):
            outcome = command("upscale", place / "a.png", place / "bad.png", "-o", place / name,
                              "--net", net, *options)  # fmt: skip
            assert outcome.code == 2
            assert "1 of 2 images failed" in outcome.err
            made.append(np.asarray(Image.open(place / name / "a.png")))
        assert max(levels_apart(made[0], one) for one in made) <= 1

    @pytest.mark.parametrize(
        ("net", "options", "told"),
        [
            ("net.safetensors", ("--runtime", "tvm"), "expected torch, onnxruntime"),
            ("esa.onnx", ("--runtime", "torch"), "expected --runtime onnxruntime"),
            ("esa.onnx", ("--fast",), "leave --fast and --device out"),
            ("esa.onnx", ("--scale", "4"), "is of scale 2, but --scale is 4"),
            ("gone.onnx", (), "no such file"),
        ],
    )
    def test_bad_options(
        self, net: str, options: tuple[str, ...], told: str, command: Command, kept: Kept,
        place: Path,
    ) -> None:  # fmt: skip
        path = place / net if (place / net).exists() else kept["folder"] / net
        outcome = command(
            "upscale", place / "a.png", "-o", place / "x.png", "--net", path, *options
        )
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
        assert told in outcome.err
