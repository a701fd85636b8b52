"""ONNX's operators as layers of ncnn: the one table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from nas.deploy.ncnn import convolved, placed
from nas.deploy.ncnn.layer import Layer, Param, Weights
from nas.deploy.ncnn.walk import Walk, in_ncnn, refused, started
from nas.deploy.onnx_graph import CONTINUE, REPEAT, Graph, Node

__all__ = ["CONVERTERS", "converted"]

Converter = Callable[[Node, Walk], None]


def converted(graph: Graph) -> list[Layer]:
    """The layers of a graph, in its order.

    Raises:
        NotPossible: an operator without a layer.
    """
    walk = started(graph)
    for node in graph.nodes:
        if node.op not in CONVERTERS:
            raise refused(node)
        CONVERTERS[node.op](node, walk)
    return walk.layers


def _plain(kind: str, params: Mapping[int, Param], node: Node, walk: Walk) -> None:
    """One input, and nothing that the node says."""
    walk.add(kind, node.inputs[:1], node.output, params)


def _leaky(node: Node, walk: Walk) -> None:
    walk.add("ReLU", node.inputs, node.output, {0: float(node.attributes.get("alpha", 0.01))})


def _prelu(node: Node, walk: Walk) -> None:
    slopes = walk.constant(node.inputs[1])
    if slopes is None or slopes.size not in (*slopes.shape[-3:], 1):
        raise refused(node, "with slopes that are no constant of each channel")
    walk.add("PReLU", node.inputs[:1], node.output, {0: slopes.size}, (Weights(slopes),))


def _gelu(node: Node, walk: Walk) -> None:
    fast = node.attributes.get("approximate", "none") == "tanh"
    walk.add("GELU", node.inputs, node.output, {0: int(fast)})


def _clipped(node: Node, walk: Walk) -> None:
    ends = [walk.single(name) if name else None for name in node.inputs[1:]]
    if any(name and end is None for name, end in zip(node.inputs[1:], ends, strict=True)):
        raise refused(node, "between what is no constant")
    given = dict(enumerate(ends))
    walk.add("Clip", node.inputs[:1], node.output,
             {k: float(end) for k, end in given.items() if end is not None})  # fmt: skip


_BINARY = {"Add": 0, "Sub": 1, "Mul": 2, "Div": 3, "Max": 4, "Min": 5, "Pow": 6}
_TURNED = {"Sub": 7, "Div": 8, "Pow": 9}
_SQUARE = 4


def _binary(node: Node, walk: Walk) -> None:
    if len(node.inputs) != 2:
        raise refused(node, "of more or fewer than two")
    (a, b), op = node.inputs, _BINARY[node.op]
    if (number := walk.single(b)) is not None:
        if (node.op, number) == ("Pow", 2.0):
            walk.add("UnaryOp", (a,), node.output, {0: _SQUARE})
            return
        walk.add("BinaryOp", (a,), node.output, {0: op, 1: 1, 2: number})
    elif (number := walk.single(a)) is not None:
        params: dict[int, Param] = {0: _TURNED.get(node.op, op), 1: 1, 2: number}
        walk.add("BinaryOp", (b,), node.output, params)
    else:
        walk.add("BinaryOp", (a, b), node.output, {0: op})


_REDUCED = {"ReduceSum": 0, "ReduceMean": 3, "ReduceMax": 4, "ReduceMin": 5}


def _reduced(node: Node, walk: Walk) -> None:
    axes = walk.integers(node, 1)
    if axes is None or not node.attributes.get("keepdims", 1):
        raise refused(node, "without axes, or without keepdims")
    _reduce(node, walk, _REDUCED[node.op], tuple(in_ncnn(node, axis) for axis in axes))


def _mean(node: Node, walk: Walk) -> None:
    # ncnn's own pooling would drop the two axes, which the layers after it then miss.
    _reduce(node, walk, _REDUCED["ReduceMean"], (1, 2))


def _reduce(node: Node, walk: Walk, op: int, axes: tuple[int, ...]) -> None:
    walk.add("Reduction", node.inputs[:1], node.output, {0: op, 1: 0, 3: axes, 4: 1, 5: 1})


_UNARY = {"Abs": 0, "Neg": 1, "Floor": 2, "Ceil": 3, "Sqrt": 5, "Exp": 7, "Log": 8,
          "Reciprocal": 15}  # fmt: skip
_PLAIN = {"Relu": "ReLU", "Sigmoid": "Sigmoid", "Tanh": "TanH", "Erf": "Erf",
          "Softplus": "Softplus", "Mish": "Mish"}  # fmt: skip

CONVERTERS: dict[str, Converter] = {
    "Conv": convolved.convolution,
    "ConvTranspose": convolved.transposed,
    "MaxPool": convolved.pooling,
    "AveragePool": convolved.pooling,
    "GlobalAveragePool": _mean,
    "Pad": convolved.padding,
    REPEAT: convolved.repeated,
    CONTINUE: placed.continued,
    "Concat": placed.concatenation,
    "Slice": placed.sliced,
    "Resize": placed.resized,
    "DepthToSpace": placed.shuffled,
    "LeakyRelu": _leaky,
    "PRelu": _prelu,
    "Gelu": _gelu,
    "Clip": _clipped,
    **dict.fromkeys(_BINARY, _binary),
    **dict.fromkeys(_REDUCED, _reduced),
    **{op: partial(_plain, kind, {}) for op, kind in _PLAIN.items()},
    **{op: partial(_plain, "UnaryOp", {0: number}) for op, number in _UNARY.items()},
}
"""By ONNX's name (or `nas.deploy.onnx_graph`'s), what adds the layers of a node to a walk."""
