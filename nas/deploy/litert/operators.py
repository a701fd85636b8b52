"""Operators of an ONNX graph as LiteRT has them, channels last: one function for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas.deploy.litert.convolved import dense
from nas.deploy.litert.draft import Map
from nas.deploy.onnx_graph import CONTINUE, Node
from search_spaces.errors import NotPossible

if TYPE_CHECKING:
    from nas.deploy.litert.walk import Walk

__all__ = ["OPERATORS"]

_AXES = {0: 0, 1: 3, 2: 1, 3: 2}
"""Of channels first, where they lie in channels last."""

_SAME, _VALID = 0, 1


def _convolution(walk: Walk, node: Node) -> Map:
    x, of = walk.map(node.inputs[0]), node.attributes
    kernels = walk.values(node.inputs[1])
    group, out = of["group"], kernels.shape[0]
    biases = walk.values(node.inputs[2]) if len(node.inputs) > 2 else np.zeros(out)
    x, padding = _padded(walk, x, node, kernels.shape[2:])
    shape = _slid(x, node, kernels.shape[2:], padding, out)
    strides, dilations = of["strides"], of["dilations"]
    options = {
        "padding": padding, "strideH": strides[0], "strideW": strides[1],
        "dilationHFactor": dilations[0], "dilationWFactor": dilations[1],
    }  # fmt: skip
    if group == x.shape[3] and group > 1:
        # (1, height, width, out): of every channel's outputs one after the other, as torch has it.
        weights = walk.constant(kernels.transpose(1, 2, 3, 0))
        options["depthMultiplier"] = out // group
        inputs = [x, weights, walk.constant(biases)]
        return walk.add("DEPTHWISE_CONV_2D", inputs, shape, DepthwiseConv2DOptions=options)
    if group > 1:
        # GPUs have no groups; as many convolutions cost more than the zeros between few.
        kernels = dense(kernels, group)
    weights = walk.constant(kernels.transpose(0, 2, 3, 1))
    return walk.add("CONV_2D", [x, weights, walk.constant(biases)], shape, Conv2DOptions=options)


def _padded(walk: Walk, x: Map, node: Node, kernel: Sequence[int]) -> tuple[Map, int]:
    """The map with zeros around it where LiteRT has no word for that, and the word for the rest."""
    of = node.attributes
    top, left, bottom, right = of.get("pads", (0, 0, 0, 0))
    if not any((top, left, bottom, right)):
        return x, _VALID
    dilations = of.get("dilations", (1, 1))
    spare = [(side - 1) * wide for side, wide in zip(kernel, dilations, strict=True)]
    before = [side // 2 for side in spare]
    if set(of["strides"]) == {1} and ([top, left], [bottom, right]) == (
        before, [side - first for side, first in zip(spare, before, strict=True)]
    ):  # fmt: skip
        return x, _SAME
    n, height, width, channels = x.shape
    shape = (n, height + top + bottom, width + left + right, channels)
    around = walk.constant(np.array([[0, 0], [top, bottom], [left, right], [0, 0]]))
    return walk.add("PAD", [x, around], shape, PadOptions={}), _VALID


def _slid(x: Map, node: Node, kernel: Sequence[int], padding: int, out: int) -> tuple[int, ...]:
    """The shape of what a window makes that slides over a map."""
    n, *sides, _ = x.shape
    if padding == _SAME:
        return (n, *sides, out)
    of = node.attributes
    wide = of.get("dilations", (1, 1))
    rows, columns = (
        (sides[k] - (kernel[k] - 1) * wide[k] - 1) // of["strides"][k] + 1 for k in range(2)
    )
    return (n, rows, columns, out)


def _pooling(operator: str) -> Callable[[Walk, Node], Map]:
    def pool(walk: Walk, node: Node) -> Map:
        x, of = walk.map(node.inputs[0]), node.attributes
        kernel = of["kernel_shape"]
        plain = (
            not any(of.get("pads", ())) and not of.get("ceil_mode", 0)
            and set(of.get("dilations", (1,))) == {1}
        )  # fmt: skip
        if not plain:
            raise NotPossible(f"LiteRT: expected {node.op} without padding, got {dict(of)}")
        options = {
            "padding": _VALID, "strideH": of["strides"][0], "strideW": of["strides"][1],
            "filterHeight": kernel[0], "filterWidth": kernel[1],
        }  # fmt: skip
        shape = _slid(x, node, kernel, _VALID, x.shape[3])
        return walk.add(operator, [x], shape, Pool2DOptions=options)

    return pool


def _both(operator: str, table: str) -> Callable[[Walk, Node], Map]:
    def of_two(walk: Walk, node: Node) -> Map:
        first, second = (walk.operand(name) for name in node.inputs)
        shape = np.broadcast_shapes(first.shape, second.shape)
        return walk.add(operator, [first, second], shape, **{table: {}})

    return of_two


def _each(operator: str, **options: Mapping[str, Any]) -> Callable[[Walk, Node], Map]:
    def of_one(walk: Walk, node: Node) -> Map:
        x = walk.map(node.inputs[0])
        return walk.add(operator, [x], x.shape, **options)

    return of_one


def _leaky_relu(walk: Walk, node: Node) -> Map:
    slope = float(node.attributes.get("alpha", 0.01))
    if slope == 0:
        return _each("RELU")(walk, node)
    return _each("LEAKY_RELU", LeakyReluOptions={"alpha": slope})(walk, node)


def _prelu(walk: Walk, node: Node) -> Map:
    x, slopes = walk.map(node.inputs[0]), walk.values(node.inputs[1])
    # One for each channel, or one for all.
    spread = np.broadcast_to(slopes.ravel(), (1, 1, x.shape[3]))
    return walk.add("PRELU", [x, walk.constant(spread)], x.shape)


def _gelu(walk: Walk, node: Node) -> Map:
    rough = node.attributes.get("approximate", "none") == "tanh"
    return _each("GELU", GeluOptions={"approximate": rough})(walk, node)


def _power(walk: Walk, node: Node) -> Map:
    x, exponent = walk.map(node.inputs[0]), walk.values(node.inputs[1])
    if exponent.size == 1 and float(exponent.item()) == 2:
        return walk.add("MUL", [x, x], x.shape, MulOptions={})
    return _both("POW", "PowOptions")(walk, node)


def _clip(walk: Walk, node: Node) -> Map:
    x = walk.map(node.inputs[0])
    for operator, name in zip(("MAXIMUM", "MINIMUM"), node.inputs[1:], strict=False):
        if name:
            inputs = [x, walk.operand(name)]
            x = walk.add(operator, inputs, x.shape, MaximumMinimumOptions={})
    return x


def _concat(walk: Walk, node: Node) -> Map:
    maps = [walk.map(name) for name in node.inputs]
    return walk.join(maps, _AXES[node.attributes["axis"] % 4])


def _slice(walk: Walk, node: Node) -> Map:
    x, given = walk.map(node.inputs[0]), [walk.whole(name) for name in node.inputs[1:]]
    starts, ends, axes = given[:3]
    if axes != [1] or (len(given) > 3 and given[3] != [1]):
        raise NotPossible(f"LiteRT: expected slices of channels, got axes {axes}")
    count = x.shape[3]
    start, end = (min(max(one + count if one < 0 else one, 0), count) for one in starts + ends)
    return walk.cut(x, 3, start, end)


def _mean(walk: Walk, node: Node) -> Map:
    x, of = walk.map(node.inputs[0]), node.attributes
    pooled = node.op == "GlobalAveragePool"
    axes = [2, 3] if pooled else walk.whole(node.inputs[1])
    if not pooled and not of.get("keepdims", 1):
        raise NotPossible("LiteRT: expected a mean that keeps its axes")
    places = sorted(_AXES[axis % 4] for axis in axes)
    shape = [1 if axis in places else side for axis, side in enumerate(x.shape)]
    inputs = [x, walk.constant(np.array(places))]
    return walk.add("MEAN", inputs, shape, ReducerOptions={"keepDims": True})


def _shuffle(walk: Walk, node: Node) -> Map:
    x, side = walk.map(node.inputs[0]), node.attributes["blocksize"]
    n, height, width, channels = x.shape
    shape = (n, height * side, width * side, channels // side**2)
    return walk.add("DEPTH_TO_SPACE", [x], shape, DepthToSpaceOptions={"blockSize": side})


def _pad(walk: Walk, node: Node) -> Map:
    x, mode = walk.map(node.inputs[0]), node.attributes.get("mode", "constant")
    pads = node.attributes.get("pads") or walk.whole(node.inputs[1])
    (n0, c0, top, left), (n1, c1, bottom, right) = pads[:4], pads[4:]
    if mode != "edge" or any((n0, c0, n1, c1)) or (len(node.inputs) > 2 and node.inputs[2]):
        raise NotPossible(f"LiteRT: expected padding by the border's pixels, got {mode} {pads}")
    for axis, before, after in ((1, top, bottom), (2, left, right)):
        first = [walk.cut(x, axis, 0, 1)] * before if before else []
        last = [walk.cut(x, axis, -1)] * after if after else []
        x = walk.join([*first, x, *last], axis)
    return x


def _continued(walk: Walk, node: Node) -> Map:
    axis, least = _AXES[node.attributes["axis"]], node.attributes["least"]
    return walk.continued(walk.map(node.inputs[0]), axis, least)


def _resize(walk: Walk, node: Node) -> Map:
    x, of = walk.map(node.inputs[0]), node.attributes
    how = (of["mode"], of["coordinate_transformation_mode"])
    if how != ("linear", "half_pixel") or len(node.inputs) < 4:
        raise NotPossible(f"LiteRT: expected bilinear resizing to the image's size, got {how}")
    size, shape = walk.size_of_image(walk.numbers(node.inputs[3])[2:])
    options = {"alignCorners": False, "halfPixelCenters": True}
    resized = (x.shape[0], *shape, x.shape[3])
    return walk.add("RESIZE_BILINEAR", [x, size], resized, ResizeBilinearOptions=options)


OPERATORS: Mapping[str, Callable[[Walk, Node], Map]] = {
    "Conv": _convolution,
    "Add": _both("ADD", "AddOptions"),
    "Sub": _both("SUB", "SubOptions"),
    "Mul": _both("MUL", "MulOptions"),
    "Div": _both("DIV", "DivOptions"),
    "Max": _both("MAXIMUM", "MaximumMinimumOptions"),
    "Min": _both("MINIMUM", "MaximumMinimumOptions"),
    "Pow": _power,
    "Relu": _each("RELU"),
    "LeakyRelu": _leaky_relu,
    "PRelu": _prelu,
    "Sigmoid": _each("LOGISTIC"),
    "Tanh": _each("TANH"),
    "Gelu": _gelu,
    "Clip": _clip,
    "Sqrt": _each("SQRT"),
    "Neg": _each("NEG", NegOptions={}),
    "Abs": _each("ABS", AbsOptions={}),
    "Exp": _each("EXP", ExpOptions={}),
    "Concat": _concat,
    "Slice": _slice,
    "ReduceMean": _mean,
    "GlobalAveragePool": _mean,
    "MaxPool": _pooling("MAX_POOL_2D"),
    "AveragePool": _pooling("AVERAGE_POOL_2D"),
    "DepthToSpace": _shuffle,
    "Pad": _pad,
    CONTINUE: _continued,
    "Resize": _resize,
}
"""By their names in `nas.deploy.onnx_graph`; of enlarging what `convolved` leaves."""
