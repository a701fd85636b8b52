"""From an ONNX graph to a draft of a .tflite file, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_INT = "INT32"


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
    """

    def __init__(self, graph: Graph, lr_size: tuple[int, int] | None = None) -> None:
        self._graph, self._fixed = graph, lr_size
        self._draft = Draft()
        height, width = lr_size or _NOMINAL
        image = self._draft.tensor((1, height, width, graph.channels[INPUT]), INPUT)
        self._maps: dict[str, Map] = {INPUT: image}
        self._sizes: dict[tuple[int, int], Map] = {}
        for node in graph.nodes:
            if node.op not in OPERATORS:
                raise NotPossible(
                    f"LiteRT: no word for ONNX's {node.op}; expected one of {', '.join(OPERATORS)}"
                )
            self._maps[node.output] = OPERATORS[node.op](self, node)

    def to_bytes(self, metadata: Mapping[str, str]) -> bytes:
        """The file that was drafted."""
        image, enlarged = ((name, self._maps[name]) for name in (INPUT, OUTPUT))
        return self._draft.to_bytes(image, enlarged, metadata, free=self._fixed is None)

    def add(
        self, operator: str, inputs: Sequence[Map], shape: Sequence[int], /, **options: Any
    ) -> Map:
        """See `Draft.add`."""
        return self._draft.add(operator, inputs, shape, **options)

    def constant(self, values: Array) -> Map:
        """See `Draft.constant`."""
        return self._draft.constant(values)

    def map(self, name: str) -> Map:
        """A feature map that was made.

        Raises:
            NotPossible: it is none, but weights alone or whole numbers.
        """
        if name not in self._maps:
            raise NotPossible(f"LiteRT: expected a feature map, got the constant {name}")
        return self._maps[name]

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
        if name in self._maps:
            return self._maps[name]
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
        if self._fixed is not None:
            missing = max(0, least - x.shape[axis])
            return self.join([x, *[self.cut(x, axis, -1)] * missing], axis)
        longer = self.join([x, *[self.cut(x, axis, -1)] * (least - 1)], axis)
        # Whatever else is cut at is what the axes have.
        end = self._side_of_image(axis, least)
        shape = [max(least, side) if k == axis else side for k, side in enumerate(x.shape)]
        return self._strided(longer, [0] * 4, end, shape, 0b1111, 0b1111 & ~(1 << axis))

    def size_of_image(self, wanted: Sequence[Number]) -> tuple[Map, tuple[int, int]]:
        """Height and width as a tensor, and what they are at the draft's size.

        Raises:
            NotPossible: others than numbers, or than the image's.
        """
        height, width = self._maps[INPUT].shape[1:3]
        if tuple(wanted) not in ((Side(2), Side(3)), (height, width)):
            raise NotPossible(f"LiteRT: expected the size of the image, got {wanted}")
        if self._fixed is not None:
            return self.constant(np.array([height, width])), (height, width)
        if (0, 0) not in self._sizes:
            ends = self.constant(np.array([3]))
            self._sizes[0, 0] = self._strided(
                self._shape_of_image(), [1], ends, [2], 0, 0, kind=_INT
            )
        return self._sizes[0, 0], (height, width)

    def _shape_of_image(self) -> Map:
        if (0, 1) not in self._sizes:
            options = {"outType": _INT32}
            self._sizes[0, 1] = self.add(
                "SHAPE", [self._maps[INPUT]], [4], kind=_INT, ShapeOptions=options
            )
        return self._sizes[0, 1]

    def _side_of_image(self, axis: int, least: int) -> Map:
        if (axis, least) not in self._sizes:
            at_least = self.constant(np.array([least if k == axis else 0 for k in range(4)]))
            inputs = [self._shape_of_image(), at_least]
            self._sizes[axis, least] = self.add(
                "MAXIMUM", inputs, [4], kind=_INT, MaximumMinimumOptions={}
            )
        return self._sizes[axis, least]

    def _strided(
        self, x: Map, begin: Sequence[int], end: Map, shape: Sequence[int], open_begin: int,
        open_end: int, *, kind: str = "FLOAT32",
    ) -> Map:  # fmt: skip
        inputs = [x, self.constant(np.array(begin)), end, self.constant(np.ones(len(begin), int))]
        options = {"beginMask": open_begin, "endMask": open_end, "ellipsisMask": 0,
                   "newAxisMask": 0, "shrinkAxisMask": 0}  # fmt: skip
        return self.add("STRIDED_SLICE", inputs, shape, kind=kind, StridedSliceOptions=options)


_INT32 = 2
