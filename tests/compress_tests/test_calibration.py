"""Crops to calibrate on, and ranges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from compress.calibration import crops, ranges, watch
from nas.data import Photo
from nas.deploy.onnx_file import INPUT, OUTPUT
from search_spaces import InputError


def test_unknown_method() -> None:
    with pytest.raises(InputError, match="got best of all"):
        ranges(None, "best of all", onnx.ModelProto())  # type: ignore[arg-type]


def test_crops_are_the_same_every_time(photos: tuple[list[Photo], list[Photo]]) -> None:
    one, two = (crops(photos[0], 2, count=5, side=24) for _ in range(2))
    assert [image.shape for image in one] == [(1, 3, 24, 24)] * 5
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], one[1])
    gray = crops(photos[0], 2, colors=1, count=1)
    assert gray[0].shape == (1, 1, 48, 40)


def test_crops_of_pairs_are_of_their_own_lr() -> None:
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((20, 20, 3), 255, np.uint8)
    (made,) = crops([Photo("a", black, white)], 2, count=1, side=8)
    assert made.shape == (1, 3, 8, 8)
    assert (made == 1).all()


@pytest.mark.parametrize(("low", "parts"), [(-1.0, 1), (-10.0, 7)])
def test_a_leaky_activation_passes_what_is_positive_exactly(
    low: float, parts: int, tmp_path: Path
) -> None:
    ends = np.array([low, 1], np.float32).reshape(1, 2, 1, 1)
    image, out = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, "h", "w"])
        for name, channels in ((INPUT, 1), (OUTPUT, 2))
    )
    nodes = [
        helper.make_node("Mul", [INPUT, "ends"], ["x"]),
        helper.make_node("Neg", ["x"], ["minus"]),
        helper.make_node("Neg", ["minus"], ["same"]),
        helper.make_node("LeakyRelu", ["same"], [OUTPUT], alpha=0.05),
    ]
    constants = [onnx.numpy_helper.from_array(ends, "ends")]
    graph = helper.make_graph(nodes, "leaky", [image], [out], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "leaky.onnx"
    onnx.save(model, str(path))
    crop = np.random.default_rng(0).random((1, 1, 40, 40)).astype(np.float32)
    found = ranges(watch(path, [crop], entropy=False), "mse", model)
    (least, most), (least_after, most_after) = found["same"], found[OUTPUT]
    assert least_after == pytest.approx(0.05 * least)
    # All of it has its place, what is negative in as many levels as fit.
    assert most_after >= most
    assert (most - least) / (most_after - least_after) == pytest.approx(parts)
