"""Single operators in LiteRT, as torch computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from nas.deploy.litert.interpreter import open_litert
from nas.deploy.onnx_file import INPUT, OUTPUT
from nas.deploy.onnx_graph import REPEAT, Graph, Node, Side
from search_spaces.errors import NotPossible
from tests.requirements import needs

needs("ai-edge-litert")

COLORS = 3
Array = npt.NDArray[Any]
Torch = Callable[[Tensor], Tensor]
SIZES = ((1, 1), (5, 8))

rng = np.random.default_rng(0)


def graph_of(*nodes: Node, numbers: Mapping[str, Any] | None = None, **constants: Array) -> Graph:
    channels = {INPUT: COLORS} | {one.output: 12 for one in nodes}
    return Graph(nodes, constants, numbers or {}, channels)


def node(op: str, *more: str, source: str = INPUT, output: str = OUTPUT, **attributes: Any) -> Node:
    return Node(op, (source, *more), output, attributes)


def check(graph: Graph, expected: Torch, folder: Path, atol: float = 1e-6) -> None:
    from nas.deploy.litert.walk import tflite

    (folder / "net.tflite").write_bytes(tflite(graph, {}))
    run = open_litert(folder / "net.tflite")
    for size in SIZES:
        image = rng.standard_normal((2, COLORS, *size)).astype(np.float32)
        np.testing.assert_allclose(
            run(image), expected(torch.from_numpy(image)).numpy(), rtol=0, atol=atol
        )


def kernels(*shape: int) -> Array:
    return rng.standard_normal(shape).astype(np.float32)


FACTORS = np.array([1, 1, 3, 3], np.float32)
HALF = np.array(0.5, np.float32)
THREE = kernels(1, COLORS, 1, 1)
ACTIVATIONS: dict[str, tuple[Graph, Torch]] = {
    "relu": (graph_of(node("Relu")), F.relu),
    "leaky_relu": (graph_of(node("LeakyRelu", alpha=0.05)), lambda x: F.leaky_relu(x, 0.05)),
    "no_slope": (graph_of(node("LeakyRelu", alpha=0.0)), F.relu),
    "prelu": (
        graph_of(node("PRelu", "a"), a=THREE), lambda x: F.prelu(x, torch.tensor(THREE).ravel())
    ),
    "sigmoid": (graph_of(node("Sigmoid")), torch.sigmoid),
    "tanh": (graph_of(node("Tanh")), torch.tanh),
    "gelu": (graph_of(node("Gelu")), F.gelu),
    "clip": (graph_of(node("Clip", "a", "b"), a=HALF - 1, b=HALF), lambda x: x.clamp(-0.5, 0.5)),
    "clip_below": (graph_of(node("Clip", "a"), a=HALF), lambda x: x.clamp(0.5)),
    "square": (graph_of(node("Pow", "a"), a=np.array(2, np.float32)), torch.square),
    "channels": (graph_of(node("Div", "a"), a=THREE), lambda x: x / torch.tensor(THREE)),
    "from_half": (graph_of(Node("Sub", ("a", INPUT), OUTPUT, {}), a=HALF), lambda x: 0.5 - x),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_what_computes_every_number_by_itself(name: str, tmp_path: Path) -> None:
    check(*ACTIVATIONS[name], tmp_path)


@pytest.mark.parametrize(
    ("mode", "where", "torchs"),
    [
        ("nearest", "asymmetric", {}),
        ("linear", "half_pixel", {"mode": "bilinear", "align_corners": False}),
        ("cubic", "half_pixel", {"mode": "bicubic", "align_corners": False}),
    ],
)
def test_resizing(mode: str, where: str, torchs: dict[str, Any], tmp_path: Path) -> None:
    resize = node("Resize", "", "s", mode=mode, coordinate_transformation_mode=where)

    def expected(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=3, **torchs)

    check(graph_of(resize, s=FACTORS), expected, tmp_path, atol=5e-6)


@pytest.mark.parametrize(("kernel", "stride"), [(9, 2), (9, 3), (9, 4), (17, 3), (3, 3), (5, 3)])
def test_transposed_convolutions(kernel: int, stride: int, tmp_path: Path) -> None:
    before = kernel // 2 if kernel != stride else 0
    after = stride - kernel + 2 * before
    weights, biases = kernels(COLORS, 2, kernel, kernel), kernels(2)
    made = node(
        "ConvTranspose", "w", "b", strides=(stride,) * 2, pads=(before,) * 4, group=1,
        output_padding=(after,) * 2, dilations=(1, 1),
    )  # fmt: skip

    def expected(x: Tensor) -> Tensor:
        return F.conv_transpose2d(
            x, torch.tensor(weights), torch.tensor(biases), stride, before, after
        )

    check(graph_of(made, w=weights, b=biases), expected, tmp_path, atol=2e-5)


@pytest.mark.parametrize("between", [(), ("Relu",), ("PRelu",), ("Add",), ("Concat",)])
@pytest.mark.parametrize("group", [1, COLORS])
def test_shuffles_whatever_lies_before_them(
    between: tuple[str, ...], group: int, tmp_path: Path
) -> None:
    weights, biases, slopes = kernels(12, COLORS // group, 3, 3), kernels(12), kernels(1, 12, 1, 1)
    nodes = [node("Conv", "w", "b", output="wide", group=group, strides=(1, 1),
                  dilations=(1, 1), pads=(1,) * 4)]  # fmt: skip
    last = "wide"
    for op in between:
        more = {"PRelu": ("a",), "Add": ("repeated",), "Concat": ()}.get(op, ())
        if op == "Add":
            nodes.append(node(REPEAT, output="repeated", times=4))
        if op != "Concat":
            nodes.append(node(op, *more, source=last, output="bent"))
        else:
            nodes.append(node("Sigmoid", source=last, output="gate"))
            nodes.append(node("Mul", "gate", source=last, output="bent"))
        last = "bent"
    nodes.append(node("DepthToSpace", source=last, mode="CRD", blocksize=2))

    def expected(x: Tensor) -> Tensor:
        y = F.conv2d(x, torch.tensor(weights), torch.tensor(biases), padding=1, groups=group)
        bent: dict[str, Torch] = {
            "Relu": F.relu,
            "PRelu": lambda y: F.prelu(y, torch.tensor(slopes[0, :, 0, 0])),
            "Add": lambda y: y + x.repeat_interleave(4, dim=1),
            "Concat": lambda y: y * y.sigmoid(),
        }
        for op in between:
            y = bent[op](y)
        return F.pixel_shuffle(y, 2)

    check(graph_of(*nodes, w=weights, b=biases, a=slopes), expected, tmp_path, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "torchs"),
    [
        ({"pads": (2, 2, 2, 2), "dilations": (2, 2)}, {"padding": 2, "dilation": 2}),
        ({"pads": (1, 1, 1, 1), "strides": (2, 2)}, {"padding": 1, "stride": 2}),
        ({"pads": (2, 2, 2, 2)}, {"padding": 2}),
    ],
)
def test_convolutions(options: dict[str, Any], torchs: dict[str, Any], tmp_path: Path) -> None:
    weights = kernels(4, COLORS, 3, 3)
    usual = {"group": 1, "strides": (1, 1), "dilations": (1, 1), **options}
    check(
        graph_of(node("Conv", "w", **usual), w=weights),
        lambda x: F.conv2d(x, torch.tensor(weights), **torchs), tmp_path, atol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("graph", "told"),
    [
        (graph_of(node("Einsum")), "no word for ONNX's Einsum"),
        (graph_of(node("AveragePool", kernel_shape=(2, 2), strides=(2, 2), pads=(1,) * 4)),
         "expected AveragePool without padding"),
        (graph_of(node("Resize", "", "s", mode="cubic", coordinate_transformation_mode="x"),
                  s=FACTORS), "expected resizing by a whole number"),
        (graph_of(node("Resize", "", "", "z", mode="nearest",
                       coordinate_transformation_mode="x")), "expected bilinear resizing"),
        (graph_of(node("Add", "gone")), "expected weights, got gone"),
        (graph_of(node("Slice", "a", "b", "c")), "the size a follows from the image"),
        (graph_of(node("Slice", "a", "a", "a"), numbers={"a": (Side(2),)}),
         "expected numbers, got"),
        (graph_of(node("Slice", "a", "a", "a"), numbers={"a": (2,)}),
         "expected slices of channels"),
        (graph_of(node("ReduceMean", "a", keepdims=0), numbers={"a": (2, 3)}), "keeps its axes"),
        (graph_of(node("Pad", pads=(0, 0, 1, 1, 0, 0, 1, 1), mode="reflect")),
         "expected padding by the border's pixels"),
    ],
)  # fmt: skip
def test_what_it_has_no_word_for_is_told_in_one_line(graph: Graph, told: str) -> None:
    from nas.deploy.litert.walk import tflite

    with pytest.raises(NotPossible, match=told) as caught:
        tflite(graph, {})
    assert "\n" not in str(caught.value)
