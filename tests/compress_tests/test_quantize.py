from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from compress.calibration import METHODS, crops, ranges, watch
from compress.fold import fold
from compress.int8_candidate import Candidate, FileModule
from compress.layer_choice import choose_float_layers, gains
from compress.quantize import QuantizeOptions, quantize
from compress.rounding import rounded_weights
from nas.data import Photo
from nas.data.embedded import embedded_photos
from nas.deploy.int8_formats import INT8_FORMATS
from nas.deploy.int8_graph import layer_names, prepare, write_int8
from nas.deploy.litert.interpreter import number_format as litert_format
from nas.deploy.litert.interpreter import open_tflite
from nas.deploy.onnx_file import INPUT, OUTPUT, export_onnx, open_session
from nas.deploy.onnx_numbers import number_format
from nas.evaluate.validate import Quality, validate
from nas.training.recipe import Recipe
from search_spaces import Architecture, InputError, Network
from tests.compress_tests.quantized import Made, tiny
from tests.requirements import needs

ONNX = INT8_FORMATS[".onnx"]


def test_the_record_is_what_the_file_gives(
    made: Made, photos: tuple[list[Photo], list[Photo]]
) -> None:
    result = made.result
    assert result.path == made.file / "net.onnx"
    again = validate(FileModule(result.path), photos[1], 2)
    assert again.psnr_y_db == pytest.approx(result.psnr_after_db, abs=1e-6)
    assert again.ssim_y == pytest.approx(result.ssim_after, abs=1e-6)
    assert result.drop_db < 0.5
    assert result.bytes_after == result.path.stat().st_size
    assert result.latency_before_ms is not None
    assert result.latency_before_ms > 0
    assert {name for name, _ in result.tried} == set(METHODS)
    assert dict(result.tried)[result.calibration] == max(dict(result.tried).values())


def test_a_tflite_file_is_judged_in_litert(
    made: Made, photos: tuple[list[Photo], list[Photo]], tmp_path: Path
) -> None:
    needs("ai-edge-litert")
    options = QuantizeOptions("minmax", crops=3, max_drop_db=0.5, lr_size=(16, 16), rounds=1)
    result = quantize(
        made.network, *photos, tmp_path / "net.tflite", options=options,
        to_time=tmp_path / "timed.tflite",
    )  # fmt: skip
    assert litert_format(result.path).startswith("int8")
    again = validate(FileModule(result.path), photos[1], 2)
    assert again.psnr_y_db == pytest.approx(result.psnr_after_db, abs=1e-6)
    assert result.float_layers == ("image_skip.conv",)
    assert result.drop_db < 0.5
    assert result.latency_after_ms is not None
    assert result.bytes_after == result.path.stat().st_size
    assert open_tflite(result.path).inputs[0].shape == (None, 3, None, None)
    assert open_tflite(tmp_path / "timed.tflite").inputs[0].shape == (1, 3, *options.lr_size)
    said = open_tflite(result.path).metadata
    assert "minmax" in said["quantization"]
    assert said["layout"].startswith("NHWC float32; any N")
    assert said["scale"] == "2"


@pytest.mark.parametrize(("gain_db", "steps"), [(0.1, 4), (-0.1, 0)])
def test_the_better_file_is_written(
    made: Made, photos: tuple[list[Photo], list[Photo]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, gain_db: float, steps: int,
) -> None:  # fmt: skip
    needs("ai-edge-litert")

    recipes: list[Recipe] = []

    def taught(
        self: Candidate, _folder: Path, _photos: object, recipe: Recipe, *_: object, **__: object
    ) -> Candidate:
        recipes.append(recipe)
        other = copy.copy(self)
        quality = self.tried[self.best]
        other.tried = {self.best: replace(quality, psnr_y_db=quality.psnr_y_db + gain_db)}
        return other

    def better(*given: Any, **options: Any) -> Quality:
        found = validate(*given, **options)
        return replace(found, psnr_y_db=found.psnr_y_db + 1)

    # More than int8 gives in any case.
    monkeypatch.setattr("compress.quantize.validate", better)
    monkeypatch.setattr(Candidate, "taught", taught)
    monkeypatch.setattr("compress.quantize.choose_float_layers", lambda *given, **_: given[3])
    options = QuantizeOptions("minmax", crops=1, max_drop_db=0, rounds=0, qat_steps=4)
    result = quantize(made.network, *photos, tmp_path / "net.tflite", options=options)
    assert result.drop_db > 0
    assert result.qat_steps == steps
    # The photos' whole height: attentions that pool are to see what they see on photos.
    assert [(one.lr_size, one.batch, one.steps) for one in recipes] == [(40, 2, 4)]
    assert {"stem.conv", "upsampler.conv"} <= set(result.float_layers)


def test_weights_are_int8_and_activations_uint8(made: Made) -> None:
    graph = onnx.load(str(made.result.path)).graph
    stored = {one.name: one.data_type for one in graph.initializer}
    weights = [name for name in stored if name.endswith(".weight_quantized")]
    assert len(weights) == made.result.layers - 1
    assert made.result.float_layers == ("image_skip.conv",)
    assert all(stored[name] == onnx.TensorProto.INT8 for name in weights)
    made_by = {out: node for node in graph.node for out in node.output}
    for node in graph.node:
        if node.op_type == "Conv" and not node.input[1].startswith("image_skip."):
            source = made_by[node.input[0]]
            assert source.op_type == "DequantizeLinear"
            assert stored[source.input[2]] == onnx.TensorProto.UINT8


def test_the_file_says_its_number_format(made: Made, tmp_path: Path) -> None:
    # The image skip stays in float.
    assert number_format(made.result.path) == "int8 and float32"
    (tmp_path / "no.onnx").write_bytes(b"\xff no graph")
    with pytest.raises(InputError, match=r"no\.onnx: expected an \.onnx file"):
        number_format(tmp_path / "no.onnx")


def test_metadata_is_that_of_every_export(made: Made) -> None:
    model = onnx.load(str(made.result.path))
    said = {entry.key: entry.value for entry in model.metadata_props}
    arch = Architecture.from_dict(json.loads(said["architecture"]))
    assert arch.scale == made.network.architecture.scale == int(said["scale"])
    assert said["value_range"].startswith("0..1")
    assert made.result.calibration in said["quantization"]
    assert [one.name for one in model.graph.input] == [INPUT]
    assert [one.name for one in model.graph.output] == [OUTPUT]


def test_the_image_skip_reads_the_image_and_stays_in_float(made: Made) -> None:
    graph = onnx.load(str(made.result.path)).graph
    makers = {out: node for node in graph.node for out in node.output}
    (skip,) = (n for n in graph.node if n.op_type == "Conv" and n.input[1].startswith("image_"))
    pad = makers[skip.input[0]]
    assert (pad.op_type, pad.input[0]) == ("Pad", INPUT)
    # Nor does anything round it between there and the output.
    (end,) = (node for node in graph.node if OUTPUT in node.output)
    assert end.op_type == "Add"
    shuffles = [makers[name] for name in end.input]
    assert {node.op_type for node in shuffles} == {"DepthToSpace"}
    assert skip.output[0] in {node.input[0] for node in shuffles}


def test_finer_levels_than_8_bits_go_through_the_image_skip(made: Made) -> None:
    run = open_session(made.result.path)
    # The stem sees the same level of 255 in both.
    levels = (128 / 255 + k / 1020 for k in (0, 1))
    dark, lighter = (run(np.full((1, 3, 9, 9), level, np.float32)) for level in levels)
    assert (lighter - dark).mean() == pytest.approx(1 / 1020, rel=0.05)


def test_any_number_and_size_of_images(made: Made) -> None:
    run = open_session(made.result.path)
    rng = np.random.default_rng(0)
    for n, height, width in ((1, 1, 1), (3, 5, 31), (2, 40, 17)):
        image = rng.random((n, 3, height, width), np.float32)
        with torch.inference_mode():
            expected = made.network(torch.from_numpy(image)).numpy()
        found = run(image)
        assert found.shape == expected.shape
        assert np.abs(found - expected).mean() < 0.05


def test_the_most_sensitive_layers_stay_in_float(
    made: Made, photos: tuple[list[Photo], list[Photo]], tmp_path: Path
) -> None:
    export_onnx(fold(made.network).network, tmp_path / "plain.onnx")
    path = tmp_path / "float.onnx"
    model = prepare(tmp_path / "plain.onnx", path)
    images = crops(photos[0], 2, count=3, side=24)
    found = ranges(watch(path, images, entropy=False), "minmax", model)
    asked: list[int] = []

    def enough(chosen: Sequence[str]) -> bool:
        asked.append(len(chosen))
        return len(chosen) >= 2

    chosen = choose_float_layers(path, images, found, ("stem.conv",), enough, ONNX, most_share=0.5)
    assert asked
    assert len(chosen) == 2
    assert chosen[0] == "stem.conv"
    worth = gains(path, images, found, ONNX, ("stem.conv",))
    assert worth[chosen[1]] > 0
    if importlib.util.find_spec("ai_edge_litert") is not None:
        known = [name for name in layer_names(model) if name != chosen[1]]
        (gained,) = gains(path, images, found, INT8_FORMATS[".tflite"], known).items()
        assert gained[0] == chosen[1]
        assert 0 < gained[1] <= 1
    rounded = rounded_weights(fold(made.network).network, images)
    write_int8(path, tmp_path / "int8.onnx", found, float_layers=chosen, rounded=rounded)
    graph = onnx.load(str(tmp_path / "int8.onnx")).graph
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    for name in rounded.keys() - set(chosen):
        levels = stored[f"{name}.weight_quantized"].astype(np.float32)
        step = stored[f"{name}.weight_scale"].reshape(-1, 1, 1, 1)
        np.testing.assert_allclose(levels * step, rounded[name], rtol=1e-4, atol=1e-7)
    floats = {
        node.input[1].removesuffix(".weight")
        for node in graph.node
        if node.op_type == "Conv" and node.input[1].endswith(".weight")
    }
    assert floats == set(chosen)
    halves = {one.name for one in graph.initializer if one.data_type == onnx.TensorProto.FLOAT16}
    assert halves == {f"{name}.weight_half" for name in chosen}


@pytest.mark.parametrize(
    "network",
    [
        tiny(attention={"kind": "cca", "width": 4}),
        tiny(distillation="split", attention={"kind": "epa"}, convolution="rep"),
    ],
    ids=["cca", "split-epa-rep"],
)
def test_other_parts(
    network: Network,
    photos: tuple[list[Photo], list[Photo]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    options = QuantizeOptions("mse", crops=3, max_drop_db=None, rounds=0)
    result = quantize(network, *photos, tmp_path / "a.onnx", options=options)
    assert result.drop_db < 0.5
    kinds = [node.op_type for node in onnx.load(str(result.path)).graph.node]
    assert "ReduceMean" not in kinds
    assert ("GlobalAveragePool" in kinds) == (request.node.callspec.id == "cca")


def test_the_image_is_exact(made: Made) -> None:
    graph = onnx.load(str(made.result.path)).graph
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    readers = {node.op_type: node for node in graph.node if node.input[0] == INPUT}
    # The image skip's filters read it as it is, which are not rounded.
    assert readers.keys() == {"QuantizeLinear", "Pad"}
    first = readers["QuantizeLinear"]
    assert constants[first.input[1]] == pytest.approx(1 / 255, rel=1e-6)
    assert constants[first.input[2]] == 0


def test_photos_are_needed(made: Made, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="calibration needs photos"):
        quantize(made.network, [], embedded_photos()[1], tmp_path / "a.onnx")
    with pytest.raises(InputError, match="validate on"):
        quantize(made.network, embedded_photos()[0][:1], [], tmp_path / "a.onnx")


def test_layer_names_are_the_networks(made: Made) -> None:
    model = onnx.load(str(made.result.path))
    assert len(layer_names(model)) == made.result.layers == 16
