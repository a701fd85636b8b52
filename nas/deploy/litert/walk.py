"""From an ONNX graph to a draft of a .tflite file, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.deploy.litert.convolved import convolved
from nas.deploy.litert.draft import Draft, Map
from nas.deploy.litert.operators import OPERATORS
from nas.deploy.onnx_file import INPUT, OUTPUT
from nas.deploy.onnx_graph import Graph, Number, Side
from search_spaces.errors import NotPossible

__all__ = ["Walk", "tflite"]

Array = npt.NDArray[Any]

_NOMINAL = (64, 64)
"""Height and width that a file with free sides has until it is given others."""

_INT32 = 2
"""As the schema counts kinds of numbers."""


def tflite(
    graph: Graph, metadata: Mapping[str, str], *, lr_size: tuple[int, int] | None = None
) -> bytes:
    """The .tflite file of a graph, float32, channels last.

    Args:
        graph: of a network.
        metadata: what the file says of itself.
        lr_size: (height, width) of the one image that it takes; None: any number of any size.

    Raises:
        NotPossible: an operator that LiteRT, or this writer of it, has no word for.
    """
    return Walk(convolved(graph), lr_size).to_bytes(metadata)


class Walk:
    """The draft and what the walk has made so far.

    Args:
        graph: from `convolved`.
        lr_size: as for `tflite`.

    Attributes:
        is_free: whether the file takes any number of images of any size.
        draft: what is drafted.
        maps: of the draft, by the names that they have in the graph.
        places: by the names of what they make, the steps of the draft that each node became.
    """

    def __init__(self, graph: Graph, lr_size: tuple[int, int] | None = None) -> None:
        self._graph, self.is_free = graph, lr_size is None
        self.draft = Draft()
        height, width = lr_size or _NOMINAL
        image = self.draft.tensor((1, height, width, graph.channels[INPUT]), INPUT)
        self.maps: dict[str, Map] = {INPUT: image}
        self.places: dict[str, range] = {}
        self._sides: dict[tuple[int, int], Map] = {}
        for node in graph.nodes:
            if node.op not in OPERATORS:
                raise NotPossible(
                    f"LiteRT: no word for ONNX's {node.op}; expected one of {', '.join(OPERATORS)}"
                )
            first = len(self.draft.steps)
            self.maps[node.output] = OPERATORS[node.op](self, node)
            self.places[node.output] = range(first, len(self.draft.steps))

    def to_bytes(self, metadata: Mapping[str, str]) -> bytes:
        """The file that was drafted."""
        image, enlarged = ((name, self.maps[name]) for name in (INPUT, OUTPUT))
        return self.draft.to_bytes(image, enlarged, metadata, free=self.is_free)

    def add(
        self, operator: str, inputs: Sequence[Map], shape: Sequence[int], /, **options: Any
    ) -> Map:
        """See `Draft.add`."""
        return self.draft.add(operator, inputs, shape, **options)

    def constant(self, values: Array) -> Map:
        """See `Draft.constant`."""
        return self.draft.constant(values)

    def map(self, name: str) -> Map:
        """A feature map that was made.

        Raises:
            NotPossible: it is none, but weights alone or whole numbers.
        """
        if name not in self.maps:
            raise NotPossible(f"LiteRT: expected a feature map, got the constant {name}")
        return self.maps[name]

    def values(self, name: str) -> Array:
        """Numbers that do not depend on the image.

        Raises:
            NotPossible: they do.
        """
        if name not in self._graph.constants:
            raise NotPossible(f"LiteRT: expected weights, got {name}, which the image decides")
        return self._graph.constants[name]

    def operand(self, name: str) -> Map:
        """A feature map, or numbers to be spread over one."""
        if name in self.maps:
            return self.maps[name]
        values = self.values(name)
        if values.size == 1:
            return self.constant(values.reshape(1))
        wide = values.reshape((1,) * (4 - values.ndim) + values.shape)
        return self.constant(wide.transpose(0, 2, 3, 1))

    def numbers(self, name: str) -> tuple[Number, ...]:
        """Whole numbers, sides of the image among them.

        Raises:
            NotPossible: they are not known.
        """
        if name not in self._graph.numbers:
            raise NotPossible(
                f"LiteRT: the size {name} follows from the image in a way unknown here"
            )
        return self._graph.numbers[name]

    def whole(self, name: str) -> list[int]:
        """The same, where none may depend on the image.

        Raises:
            NotPossible: one does.
        """
        found = self.numbers(name)
        if any(isinstance(one, Side) for one in found):
            raise NotPossible(f"LiteRT: expected numbers, got {found}, which the image decides")
        return [one for one in found if isinstance(one, int)]

    def join(self, maps: Sequence[Map], axis: int) -> Map:
        """Several maps one behind the other."""
        if len(maps) == 1:
            return maps[0]
        shape = list(maps[0].shape)
        shape[axis] = sum(one.shape[axis] for one in maps)
        return self.add("CONCATENATION", maps, shape, ConcatenationOptions={"axis": axis})

    def cut(self, x: Map, axis: int, start: int, end: int | None = None) -> Map:
        """A map from ``start`` to ``end`` along one axis; from the end where they are negative."""
        first, last = ([one if k == axis else 0 for k in range(4)] for one in (start, end or 0))
        others = 0b1111 & ~(1 << axis)
        shape = [
            len(range(side)[start:end]) if k == axis else side for k, side in enumerate(x.shape)
        ]
        # A side that is free ends wherever it does.
        open_end = 0b1111 if end is None else others
        return self._strided(x, first, self.constant(np.array(last)), shape, others, open_end)

    def continued(self, x: Map, axis: int, least: int) -> Map:
        """The map with its last row or column repeated up to ``least`` of them."""
        missing = least - (1 if self.is_free else x.shape[axis])
        if missing <= 0:
            return x
        longer = self.join([x, *[self.cut(x, axis, -1)] * missing], axis)
        if not self.is_free:
            return longer
        # Whatever else is cut at is what the axes have.
        end = self._side(axis, least)
        shape = [max(least, side) if k == axis else side for k, side in enumerate(x.shape)]
        return self._strided(longer, [0] * 4, end, shape, 0b1111, 0b1111 & ~(1 << axis))

    def size_of_image(self, wanted: Sequence[Number]) -> tuple[Map, tuple[int, int]]:
        """Height and width as a tensor, and what they are at the draft's size.

        Raises:
            NotPossible: another size than the image's.
        """
        height, width = self.maps[INPUT].shape[1:3]
        if tuple(wanted) != (Side(2), Side(3)):
            raise NotPossible(f"LiteRT: expected the size of the image, got {wanted}")
        size = self._size if self.is_free else self.constant(np.array([height, width]))
        return size, (height, width)

    @cached_property
    def _shape(self) -> Map:
        image, options = self.maps[INPUT], {"outType": _INT32}
        return self.add("SHAPE", [image], [len(image.shape)], kind="INT32", ShapeOptions=options)

    @cached_property
    def _size(self) -> Map:
        ends = self.constant(np.array([3]))
        return self._strided(self._shape, [1], ends, [2], 0, 0, kind="INT32")

    def _side(self, axis: int, least: int) -> Map:
        """The shape of the image, in which one side is at least so much."""
        if (axis, least) not in self._sides:
            at_least = self.constant(np.array([least if k == axis else 0 for k in range(4)]))
            options: dict[str, Any] = {"kind": "INT32", "MaximumMinimumOptions": {}}
            self._sides[axis, least] = self.add("MAXIMUM", [self._shape, at_least], [4], **options)
        return self._sides[axis, least]

    def _strided(
        self, x: Map, begin: Sequence[int], end: Map, shape: Sequence[int], open_begin: int,
        open_end: int, *, kind: str = "FLOAT32",
    ) -> Map:  # fmt: skip
        inputs = [x, self.constant(np.array(begin)), end, self.constant(np.ones(len(begin), int))]
        options = {"beginMask": open_begin, "endMask": open_end, "ellipsisMask": 0,
                   "newAxisMask": 0, "shrinkAxisMask": 0}  # fmt: skip
        return self.add("STRIDED_SLICE", inputs, shape, kind=kind, StridedSliceOptions=options)
