"""Networks as .tflite files: what they give, and what they are made of."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nas.deploy.litert.export import export_litert
from nas.deploy.litert.interpreter import number_format, open_litert, open_tflite
from nas.deploy.parity import check_parity
from search_spaces import Network, save_weights
from search_spaces.attention.esa import LEAST_SIDE_PX
from search_spaces.errors import InputError
from tests.nas_tests.conftest import Outcome
from tests.nas_tests.deploy_tests.conftest import lively
from tests.nas_tests.deploy_tests.every_part import EVERY_PART
from tests.nas_tests.deploy_tests.test_graphs import SIZES
from tests.requirements import needs

needs("onnxscript", "ai-edge-litert")

EXACT = 1e-5
REFUSED = ("GATHER", "SELECT", "WHERE", "TRANSPOSE_CONV", "TRANSPOSE")
AXES = 4
# Of sizes that follow from the image's.
ASKING = ("SHAPE", "MAXIMUM")


@pytest.fixture(scope="module", params=list(EVERY_PART))
def network(request: pytest.FixtureRequest) -> Network:
    return lively(**EVERY_PART[request.param])


def parts_of(path: Path) -> tuple[set[str], list[Any]]:
    """A file's operators by name, and its tensors."""
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (graph,) = model.subgraphs
    return {names[code.builtinCode] for code in model.operatorCodes}, graph.tensors


def test_it_takes_any_size(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    assert export_litert(network, path).difference <= EXACT
    assert check_parity(network, open_litert(path), sizes=SIZES).difference <= EXACT
    operators, tensors = parts_of(path)
    assert not any(one.startswith(REFUSED) for one in operators)
    assert max(len(tensor.shape) for tensor in tensors) <= AXES


def test_one_of_a_fixed_size_asks_for_none(tmp_path: Path) -> None:
    network, path = lively(**(EVERY_PART["esa"] | {"image_skip": "none"})), tmp_path / "net.tflite"
    for lr_size in ((7, 22), (32, 33)):
        parity = export_litert(network, path, lr_size=lr_size)
        assert parity.difference <= EXACT
        assert parity.sizes == ((1, *lr_size),)
        operators, _ = parts_of(path)
        assert not operators.intersection(ASKING)
        assert ("STRIDED_SLICE" in operators) == (min(lr_size) < LEAST_SIDE_PX)
        assert open_tflite(path).inputs[0].shape == (1, 3, *lr_size)
    export_litert(network, path)
    assert parts_of(path)[0].issuperset(ASKING)


def test_the_command_writes_one_of_a_size(command: Callable[..., Outcome], tmp_path: Path) -> None:
    save_weights(lively(**EVERY_PART["esa"]), tmp_path / "net.safetensors")
    path = tmp_path / "net.tflite"
    outcome = command("export", tmp_path / "net.safetensors", "-o", path, "--size", "22x7")
    assert (outcome.code, outcome.err) == (0, "")
    assert "(22x7)" in outcome.out
    assert open_tflite(path).inputs[0].shape == (1, 3, 7, 22)
    assert "one image of 22x7" in open_tflite(path).metadata["layout"]
    Image.new("RGB", (30, 9)).save(tmp_path / "small.png")
    large = command("upscale", tmp_path / "small.png", "-o", tmp_path / "large.png", "--net", path)
    assert (large.code, large.err) == (0, "")
    assert "tiles of 22x7 overlapping by 1 (each tile is computed by itself" in large.out
    with Image.open(tmp_path / "large.png") as made:
        assert made.size == (90, 27)
    refused = command("evaluate", path, "--set", f"some={tmp_path}")
    assert refused.code == 2
    assert "net.tflite: takes images of 22x7 alone" in refused.err
    words = (path, "--reference", path, "--rounds", "1", "--warmup", "0")
    measured = command("latency", *words)
    assert measured.code == 0
    assert "22x7 input" in measured.out
    assert measured.err == f"nas: measured at 22x7, the one size that {path} takes\n"
    refused = command("latency", *words, "--size", "8x9")
    assert refused.code == 2
    assert "takes images of 22x7 alone, and cannot be measured at 8x9" in refused.err
    for name, size, told in (
        ("net.onnx", "22x7", "--size: expected an output for litert"),
        ("other.tflite", "22", "--size: expected WIDTHxHEIGHT"),
    ):
        bad = command("export", tmp_path / "net.safetensors", "-o", tmp_path / name, "--size", size)
        assert (bad.code, bad.out, bad.err.count("\n")) == (2, "", 1)
        assert told in bad.err


def test_weights_begin_where_runtimes_can_read_them(tmp_path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    path = tmp_path / "net.tflite"
    export_litert(lively(**EVERY_PART["near"]), path)
    model = schema.Model.GetRootAs(path.read_bytes())
    held = [model.Buffers(k) for k in range(model.BuffersLength())]
    places = [one._tab.Vector(one._tab.Offset(4)) for one in held if one.DataLength()]
    assert len(places) > 10
    assert all(place % 16 == 0 for place in places)


def test_what_is_broken_costs_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.tflite"
    export_litert(lively(**EVERY_PART["near"]), path)
    whole = path.read_bytes()
    end = whole.index(b"nas-sr:sha256:")
    for content in (whole[: end - 1], whole[:300], whole[4:end], b"TFL3" * 20):
        path.write_bytes(content)
        with pytest.raises(InputError, match="LiteRT cannot load it") as caught:
            open_tflite(path)
        assert "\n" not in str(caught.value)
    for place in (9, end // 2, end - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="it was damaged since it was written"):
            open_tflite(path)
    # One without a digest may be of another maker, and is tried in a process of its own first.
    path.write_bytes(whole[:end])
    assert open_tflite(path).metadata["scale"] == "3"
    program = shutil.which("false")
    assert program is not None
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(InputError, match="LiteRT would end with it"):
        open_tflite(path)
    path.write_bytes(whole)
    assert open_tflite(path).metadata["scale"] == "3"
    assert capfd.readouterr() == ("", "")
    path.write_bytes(b"no such file")
    with pytest.raises(InputError, match=r"expected a \.tflite file") as refused:
        number_format(path)
    assert "\n" not in str(refused.value)


def test_standard_error_is_back_whoever_was_first(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(file: int, copied: int) -> None:
        dup2(file, copied)
        time.sleep(0.01)

    path, dup2 = tmp_path / "net.tflite", os.dup2
    export_litert(lively(**EVERY_PART["near"]), path)
    monkeypatch.setattr("os.dup2", slow)
    runs = open_litert(path), open_litert(path)
    # Every size is another one than before, for which tensors are allocated anew.
    images = [np.zeros((1, 3, 5 + k, 9), np.float32) for k in range(5)]
    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(lambda run: [run(image) for image in images], runs))) == 2
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
