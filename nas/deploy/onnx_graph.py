"""An ONNX graph of ours as plain records, for writers of other formats to walk.

What is left of a graph is what computes: whole numbers, which say sizes, are followed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nas.deploy.onnx_file import OUTPUT

if TYPE_CHECKING:
    import onnx

__all__ = ["CONTINUE", "REPEAT", "Graph", "Node", "Number", "Side", "read_graph"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Side:
    """A side of the input that is only known when the graph runs.

    Attributes:
        axis: 0: number of images, 2: height, 3: width.
        least: where it is smaller, this is meant.
    """

    axis: int
    least: int = 1


Number = int | Side


@dataclass(frozen=True, slots=True)
class Node:
    """One operator.

    Attributes:
        op: its name in ONNX.
        inputs: names of feature maps and constants; ``""`` for one that is left out.
        output: name of what it makes.
        attributes: by their names in ONNX, text as ``str``.
    """

    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Graph:
    """A network from ``image`` to ``enlarged`` (`nas.deploy.onnx_file`), channels first.

    Attributes:
        nodes: in the order in which they can be computed; each makes a feature map that is used.
        constants: numbers of the weights and of what stands beside them, by name.
        numbers: by name, vectors of whole numbers (and single ones as vectors of one).
        channels: of every feature map, by name.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Array]
    numbers: Mapping[str, tuple[Number, ...]]
    channels: Mapping[str, int]

    def readers(self) -> dict[str, list[Node]]:
        """By name, the nodes that take it."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                found.setdefault(name, []).append(node)
        return found


REPEAT = "RepeatChannels"
"""Not ONNX's, which takes three operators and five axes: every channel ``times`` times, one after
the other."""

CONTINUE = "ContinueBorder"
"""Not ONNX's: a map with its last row (``axis`` 2) or column (3) repeated up to ``least`` of them,
where it has fewer."""

_AXES = {"images": 0, "height": 2, "width": 3}
"""As `exported_program` names what is left free."""


def read_graph(model: onnx.ModelProto) -> Graph:
    """The records of a graph that `nas.deploy.onnx_file.exported_program` has made.

    A node of whole numbers that isn't understood is left out with what follows from it: who needs
    its result does not find it in ``numbers``.
    """
    from onnx import helper, numpy_helper

    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    constants |= _folded(model)
    numbers = {name: _vector(array) for name, array in constants.items() if array.dtype == np.int64}
    shapes = {
        one.name: tuple(_dimension(dim) for dim in one.type.tensor_type.shape.dim)
        for one in (*model.graph.input, *model.graph.value_info, *model.graph.output)
    }
    nodes: list[Node] = []
    same: dict[str, str] = {}
    for made in model.graph.node:
        if made.output[0] in constants:
            continue
        found = {one.name: helper.get_attribute_value(one) for one in made.attribute}
        texts = {k: v.decode() if isinstance(v, bytes) else v for k, v in found.items()}
        inputs = tuple(same.get(name, name) for name in made.input)
        node = Node(made.op_type, inputs, made.output[0], texts)
        if node.op == "Identity":
            same[node.output] = inputs[0]
        elif (result := _result(node, numbers, shapes)) is not None:
            numbers[node.output] = result
        elif node.op == "Split":
            nodes += _pieces(node, made.output, numbers, shapes)
        else:
            nodes.append(node)
    floats = {name: array for name, array in constants.items() if array.dtype != np.int64}
    channels = {
        name: shape[1] for name, shape in shapes.items()
        if len(shape) == 4 and isinstance(shape[1], int)
    }  # fmt: skip
    return Graph(_used(_continued(_repeats(nodes, numbers), numbers)), floats, numbers, channels)


def _folded(model: onnx.ModelProto) -> dict[str, Array]:
    """What is computed of weights alone, such as kernels that are sums of several."""
    import onnxruntime
    from onnx import helper

    constant = {one.name for one in model.graph.initializer} | {""}
    nodes = []
    for node in model.graph.node:
        if node.input and constant.issuperset(node.input):
            constant.update(node.output)
            nodes.append(node)
    if not nodes:
        return {}
    names = [name for node in nodes for name in node.output]
    taken = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes, "folded", [], [helper.make_empty_tensor_value_info(name) for name in names],
        [one for one in model.graph.initializer if one.name in taken],
    )  # fmt: skip
    part = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    session = onnxruntime.InferenceSession(
        part.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return dict(zip(names, session.run(names, {}), strict=True))


def _dimension(dim: Any) -> Number | None:
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return Side(_AXES[dim.dim_param]) if dim.dim_param in _AXES else None


def _vector(array: Array) -> tuple[Number, ...]:
    return tuple(int(one) for one in array.ravel())


Shapes = Mapping[str, tuple[Number | None, ...]]
Numbers = Mapping[str, tuple[Number, ...]]


def _result(node: Node, numbers: Numbers, shapes: Shapes) -> tuple[Number, ...] | None:
    """The whole numbers that a node makes; None where it makes none, or they aren't known."""
    if node.op == "Shape":
        whole = shapes.get(node.inputs[0], ())
        asked = whole[node.attributes.get("start", 0) : node.attributes.get("end")]
        known = tuple(one for one in asked if one is not None)
        return known if asked and len(known) == len(asked) else None
    if not node.inputs or any(name not in numbers for name in node.inputs):
        return None
    given = [numbers[name] for name in node.inputs]
    if node.op in ("Squeeze", "Unsqueeze", "Reshape", "Cast"):
        return given[0]
    if node.op == "Concat":
        return tuple(one for vector in given for one in vector)
    if node.op == "Max" and all(len(vector) == 1 for vector in given):
        return _largest([vector[0] for vector in given])
    return None


def _largest(given: Sequence[Number]) -> tuple[Number, ...] | None:
    least = max((one for one in given if isinstance(one, int)), default=1)
    sides = {one for one in given if isinstance(one, Side)}
    if not sides:
        return (least,)
    if len(sides) > 1:
        return None
    (side,) = sides
    return (replace(side, least=max(least, side.least)),)


def _pieces(
    node: Node, outputs: Sequence[str], numbers: dict[str, tuple[Number, ...]], shapes: Shapes
) -> list[Node]:
    """A split as one slice for each piece."""
    axis, start, made = node.attributes.get("axis", 0), 0, list[Node]()
    for output in outputs:
        width = shapes[output][axis]
        assert isinstance(width, int)
        names = [f"{output}.{one}" for one in ("start", "end", "axis")]
        numbers |= dict(zip(names, ((start,), (start + width,), (axis,)), strict=True))
        made.append(Node("Slice", (node.inputs[0], *names), output, {}))
        start += width
    return made


def _repeats(nodes: Sequence[Node], numbers: Numbers) -> list[Node]:
    makers = {node.output: node for node in nodes}
    found = []
    for node in nodes:
        wide = makers.get(node.inputs[0]) if node.op == "Reshape" else None
        narrow = makers.get(wide.inputs[0]) if wide is not None and wide.op == "Expand" else None
        if wide is not None and narrow is not None and narrow.op == "Unsqueeze":
            times = numbers.get(wide.inputs[1], ())
            if numbers.get(narrow.inputs[1]) == (2,) and len(times) == 5:
                node = Node(REPEAT, narrow.inputs[:1], node.output, {"times": times[2]})
        found.append(node)
    return found


def _continued(nodes: Sequence[Node], numbers: Numbers) -> list[Node]:
    makers = {node.output: node for node in nodes}
    found = []
    for node in nodes:
        longer = makers.get(node.inputs[0]) if node.op == "Slice" else None
        (end,) = numbers.get(node.inputs[2], (0,)) if longer is not None else (0,)
        if longer is not None and longer.op == "Concat" and isinstance(end, Side):
            source, *more = longer.inputs
            last = makers.get(more[0])
            if (
                last is not None
                and (last.op, last.inputs[0], set(more)) == ("Slice", source, {last.output})
                and numbers.get(last.inputs[1]) == (-1,)
                and numbers.get(node.inputs[1]) == (0,)
                and end.least <= len(longer.inputs)
            ):
                options = {"axis": end.axis, "least": end.least}
                node = Node(CONTINUE, (source,), node.output, options)
        found.append(node)
    return found


def _used(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Those that the graph's output is made of."""
    needed, kept = {OUTPUT}, list[Node]()
    for node in reversed(nodes):
        if node.output in needed:
            needed.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
