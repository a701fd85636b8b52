"""What enlarges, in convolutions and shuffles: a graph whose sizes follow from its input's alone.

LiteRT's transposed convolution and its resizing ask for the size of what they make, which would
have to be computed of the image's, and its shuffle takes channels in another order than torch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.deploy.onnx_file import INPUT
from nas.deploy.onnx_graph import REPEAT, Graph, Node
from nas.deploy.resizing import sums
from search_spaces.errors import NotPossible

__all__ = ["POINTWISE", "convolved", "dense", "origin"]

Array = npt.NDArray[Any]

_SQUARES, _SHUFFLED = ".squares", ".shuffled"
"""Behind the name of a map: its values before the shuffle that makes it, or in another order."""

POINTWISE = frozenset({
    "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Relu", "LeakyRelu", "PRelu", "Sigmoid",
    "Tanh", "Gelu", "Clip", "Sqrt", "Neg", "Abs", "Exp",
})  # fmt: skip
"""Operators of ONNX that compute every number by itself."""


def convolved(graph: Graph) -> Graph:
    """The same network: enlarging by a fixed factor as convolutions and shuffles.

    Its ``DepthToSpace`` are all of mode ``DCR``, as LiteRT's is; where a convolution lies before
    one, its kernels are put in that order, elsewhere a convolution does it.

    Raises:
        NotPossible: resizing or a transposed convolution of a kind that no network here has.
    """
    return _Rewriting(graph).graph()


def dense(weights: Array, group: int) -> Array:
    """The kernels of a convolution in groups as those of one without, (out, in, height, width)."""
    out, inside, *sides = weights.shape
    whole = np.zeros((out, inside * group, *sides), weights.dtype)
    for k in range(group):
        rows = slice(k * out // group, (k + 1) * out // group)
        whole[rows, k * inside : (k + 1) * inside] = weights[rows]
    return whole


def origin(name: str) -> str:
    """The name, before `convolved`, of the map that has the values of this one."""
    return name.removesuffix(_SQUARES).removesuffix(_SHUFFLED)


class _Rewriting:
    def __init__(self, graph: Graph) -> None:
        self._before = graph
        self._constants = dict(graph.constants)
        self._readers = graph.readers()
        self._nodes: dict[str, Node] = {}
        # By the name of a map, what shuffles it for one of its readers.
        self._behind: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for made in _RULES.get(node.op, _as_it_is)(self, node):
                self._nodes[made.output] = made
        for node in [one for one in self._nodes.values() if one.op == "DepthToSpace"]:
            self._reorder(node)

    def graph(self) -> Graph:
        nodes = [*self._behind.get(INPUT, ())]
        for node in self._nodes.values():
            nodes += [node, *self._behind.get(node.output, ())]
        return replace(self._before, nodes=tuple(nodes), constants=self._constants)

    def constant(self, values: Array) -> str:
        name = f"rewritten{len(self._constants)}"
        self._constants[name] = np.ascontiguousarray(values, np.float32)
        return name

    def weights(self, node: Node) -> tuple[Array, Array | None]:
        """Of a convolution: kernels and biases."""
        biases = self._constants[node.inputs[2]] if len(node.inputs) > 2 else None
        return self._constants[node.inputs[1]], biases

    def repeated(self, node: Node) -> Iterator[Node]:
        times = node.attributes["times"]
        eye = np.eye(self._before.channels[node.inputs[0]])
        yield self._convolution(node.inputs[0], np.repeat(eye, times, axis=0), node.output)

    def resized(self, node: Node) -> Iterator[Node]:
        factors = self._constants.get(node.inputs[2]) if len(node.inputs) == 3 else None
        if factors is None:
            yield node
            return
        side, mode = float(factors[-1]), node.attributes["mode"]
        scale = int(side)
        along = sums(mode, node.attributes["coordinate_transformation_mode"], scale)
        if along is None or side != scale or factors.tolist() != [1, 1, side, side]:
            raise NotPossible(
                f"LiteRT: expected resizing by a whole number, got {mode} by {factors.tolist()}"
            )
        reach, source = along.shape[1] // 2, node.inputs[0]
        if reach:
            source = f"{node.output}.around"
            edge = {"mode": "edge", "pads": (0, 0, reach, reach, 0, 0, reach, reach)}
            yield Node("Pad", node.inputs[:1], source, edge)
        both = np.einsum("yi,xj->yxij", along, along).reshape(scale**2, *along.shape[1:], -1)
        colors = np.eye(self._before.channels[node.inputs[0]])
        kernels = np.einsum("pij,oc->pocij", both, colors)
        squares = f"{node.output}{_SQUARES}"
        yield self._convolution(source, kernels.reshape(-1, *kernels.shape[2:]), squares)
        yield _shuffle(squares, scale, node.output)

    def transposed(self, node: Node) -> Iterator[Node]:
        """Every pixel of a square from its own part of the kernel, which is where it would fall."""
        kernels, biases = self.weights(node)
        of = node.attributes
        stride, kernel, before = of["strides"][0], kernels.shape[2], of["pads"][0]
        more = of.get("output_padding", (0, 0))[0]
        plain = (
            len(set(of["strides"])) == len(set(of["pads"])) == len(set(kernels.shape[2:])) == 1
            and set(of["dilations"]) == {1}
            and of["group"] == 1
            and kernel + more - 2 * before == stride
        )
        if not plain:
            raise NotPossible(
                f"LiteRT: expected a transposed convolution that enlarges by its stride, got "
                f"kernel {kernels.shape[2:]}, stride {of['strides']}, padding {of['pads']}, groups "
                f"{of['group']}"
            )
        first, last = -((kernel - 1 - before) // stride), (stride - 1 + before) // stride
        taps = range(first, last + 1)
        inside, out = kernels.shape[:2]
        made = np.zeros((stride, stride, out, inside, len(taps), len(taps)), np.float32)
        for y, x, i, j in np.ndindex(stride, stride, len(taps), len(taps)):
            row, column = y + before - stride * taps[i], x + before - stride * taps[j]
            if 0 <= row < kernel and 0 <= column < kernel:
                made[y, x, :, :, i, j] = kernels[:, :, row, column].T
        squares = f"{node.output}{_SQUARES}"
        yield self._convolution(
            node.inputs[0], made.reshape(-1, *made.shape[3:]), squares,
            None if biases is None else np.tile(biases, stride**2), (-first, -first, last, last),
        )  # fmt: skip
        yield _shuffle(squares, stride, node.output)

    def _convolution(
        self,
        source: str,
        kernels: Array,
        output: str,
        biases: Array | None = None,
        pads: tuple[int, ...] = (0, 0, 0, 0),
    ) -> Node:
        kernels = kernels.reshape(*kernels.shape, *(1,) * (4 - kernels.ndim))
        inputs = [source, self.constant(kernels)]
        if biases is not None:
            inputs.append(self.constant(biases))
        options = {"group": 1, "strides": (1, 1), "dilations": (1, 1), "pads": pads}
        return Node("Conv", tuple(inputs), output, options)

    def _reorder(self, node: Node) -> None:
        if node.attributes["mode"] == "DCR":
            return
        square = node.attributes["blocksize"] ** 2
        count = self._before.channels[node.inputs[0]]
        order = np.arange(count).reshape(-1, square).T.ravel()
        source = self._in_order(node.inputs[0], order)
        self._nodes[node.output] = replace(
            node, inputs=(source,), attributes={**node.attributes, "mode": "DCR"}
        )

    def _in_order(self, name: str, order: npt.NDArray[np.intp]) -> str:
        """The name of that map, its channels in another order."""
        if self._before.channels.get(name) == 1:
            return name
        if name in self._constants:
            values = self._constants[name]
            return self.constant(values.take(order, axis=-3)) if values.size > 1 else name
        node = self._nodes.get(name)
        if node is None or len(self._readers[name]) > 1 or node.op not in (*POINTWISE, "Conv"):
            shuffled = f"{name}{_SHUFFLED}"
            eye = np.eye(len(order))[order]
            self._behind.setdefault(name, []).append(self._convolution(name, eye, shuffled))
            return shuffled
        if node.op == "Conv":
            kernels, biases = self.weights(node)
            group = node.attributes["group"]
            inputs = [node.inputs[0], self.constant(dense(kernels, group)[order])]
            if biases is not None:
                inputs.append(self.constant(biases[order]))
            ungrouped = {**node.attributes, "group": 1}
            self._nodes[name] = replace(node, inputs=tuple(inputs), attributes=ungrouped)
        else:
            inputs = [self._in_order(one, order) if one else "" for one in node.inputs]
            self._nodes[name] = replace(node, inputs=tuple(inputs))
        return name


def _as_it_is(_of: _Rewriting, node: Node) -> Iterator[Node]:
    yield node


def _shuffle(squares: str, scale: int, output: str) -> Node:
    return Node("DepthToSpace", (squares,), output, {"mode": "DCR", "blocksize": scale})


_RULES: Mapping[str, Callable[[_Rewriting, Node], Iterator[Node]]] = {
    REPEAT: _Rewriting.repeated,
    "Resize": _Rewriting.resized,
    "ConvTranspose": _Rewriting.transposed,
}
