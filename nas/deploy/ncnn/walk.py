"""What the converters of single operators are given, and what they give back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.deploy.ncnn.layer import Layer, Param, Weights
from nas.deploy.onnx_file import INPUT
from nas.deploy.onnx_graph import Graph, Node, Number, Side
from search_spaces.errors import NotPossible

__all__ = ["Walk", "in_ncnn", "refused", "started"]


def refused(node: Node, why: str = "") -> NotPossible:
    """That an operator has no layer, or not as it is used here."""
    return NotPossible(
        f"ncnn has no layer for the operator {node.op}{f' {why}' if why else ''}; choose another "
        f"format, such as .onnx"
    )


def in_ncnn(node: Node, axis: int) -> int:
    """An axis of (N, C, h, w) as ncnn counts it, whose blobs are of one image: (C, h, w).

    Raises:
        NotPossible: it is that of the images.
    """
    if axis % 4 == 0:
        raise refused(node, "along the images")
    return axis % 4 - 1


@dataclass(slots=True)
class Walk:
    """The walk over a graph: what is read, and the layers so far.

    Attributes:
        graph: whose nodes are converted one after the other.
        layers: made so far.
        readers: how many nodes read a value, by its name.
        waiting: borders that are continued together with those of the next node: their source
            and least sides, by the name that stands for the result.
    """

    graph: Graph
    readers: Mapping[str, list[Node]]
    layers: list[Layer] = field(default_factory=list)
    waiting: dict[str, tuple[str, dict[int, int]]] = field(default_factory=dict)

    def add(
        self,
        kind: str,
        inputs: tuple[str, ...] | list[str],
        output: str,
        params: Mapping[int, Param] | None = None,
        weights: tuple[Weights, ...] = (),
    ) -> None:
        """One more layer; ``inputs`` are names of feature maps, or of constants."""
        read = tuple(self._map(name) for name in inputs)
        self.layers.append(Layer(kind, read, (output,), params or {}, weights))

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """The numbers of a constant; None for a feature map."""
        return self.graph.constants.get(name)

    def single(self, name: str) -> float | None:
        """A constant that is one number."""
        array = self.graph.constants.get(name)
        return None if array is None or array.size != 1 else float(array.reshape(()))

    def numbers(self, node: Node, at: int) -> tuple[Number, ...] | None:
        """The whole numbers of an input; None where it is left out.

        Raises:
            NotPossible: they depend on more than the image's size.
        """
        name = node.inputs[at] if at < len(node.inputs) else ""
        if name and name not in self.graph.numbers:
            raise refused(node, "where it depends on more than the image's size")
        return self.graph.numbers[name] if name else None

    def integers(self, node: Node, at: int) -> tuple[int, ...] | None:
        """The same, where they may not depend on the image.

        Raises:
            NotPossible: they do.
        """
        found = self.numbers(node, at)
        if found is None:
            return None
        fixed = tuple(one for one in found if isinstance(one, int))
        if len(fixed) < len(found):
            raise refused(node, "where it depends on the image's size")
        return fixed

    @staticmethod
    def side(number: Number, node: Node) -> str:
        """A number in a layer's expression, whose second input is the image.

        Raises:
            NotPossible: it is the number of images.
        """
        if not isinstance(number, Side):
            return str(number)
        axis = in_ncnn(node, number.axis)
        side = f"1{'chw'[axis]}"
        return side if number.least <= 1 else f"max({side},{number.least})"

    def _map(self, name: str) -> str:
        array = self.constant(name)
        if array is None:
            return name
        shape = (1,) * (4 - array.ndim) + array.shape
        if len(shape) != 4 or shape[0] != 1:
            raise NotPossible(
                f"ncnn takes no constant of shape {array.shape} beside a feature map; choose "
                f"another format, such as .onnx"
            )
        stored = f"{name}/stored"
        if not any(stored in layer.outputs for layer in self.layers):
            channels, height, width = shape[1:]
            sides: dict[int, Param] = {0: width, 1: height, 2: channels}
            kept = Weights(np.asarray(array, np.float32))
            self.layers.append(Layer("MemoryData", (), (stored,), sides, (kept,)))
        return stored


def started(graph: Graph) -> Walk:
    """A walk with the image as its first layer."""
    return Walk(graph, graph.readers(), [Layer("Input", (), (INPUT,))])
