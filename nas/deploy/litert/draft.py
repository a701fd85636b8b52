"""A .tflite file in the making: tensors and operators, by the schema that LiteRT ships."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from nas.deploy.litert.interpreter import METADATA, sealed
from nas.deploy.litert.packed import packed

__all__ = ["Draft", "Grid", "Map", "Step"]

Array = npt.NDArray[Any]

_KINDS = {
    np.dtype(np.float32): "FLOAT32", np.dtype(np.float16): "FLOAT16", np.dtype(np.int32): "INT32",
    np.dtype(np.int8): "INT8",
}  # fmt: skip

# The one that has what is asked for here; of all other operators it is the first, the second where
# they take or make int8, and the third where they take float16.
_VERSIONS = {"RESIZE_BILINEAR": 3, "QUANTIZE": 1, "DEPTH_TO_SPACE": 1}
_INT8_VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3}


@dataclass(frozen=True, slots=True)
class Map:
    """A tensor of a draft: its number, and its shape at the draft's size of image.

    Feature maps are (N, height, width, channels).
    """

    number: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """What the whole numbers of a tensor stand for: ``(number - zero) * step``.

    Attributes:
        steps: one, or one for each place along ``axis``.
        zero: the number that stands for 0.
        axis: of the steps, where there are several.
    """

    steps: tuple[float, ...]
    zero: int = 0
    axis: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One operator of a draft, as `Draft.add` was told it."""

    operator: str
    inputs: tuple[Map, ...]
    output: Map
    kind: str = "FLOAT32"
    options: Mapping[str, Any] = field(default_factory=dict)


class Draft:
    """Takes tensors and operators in the order in which they are computed.

    Attributes:
        steps: the operators.
        values: of the tensors that have a content, by number.
        grids: of the tensors whose whole numbers stand for others, by number.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.values: dict[int, Array] = {}
        self.grids: dict[int, Grid] = {}
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        # By the schema the first buffer is empty: that of all tensors without a content.
        self._buffers = [schema.BufferT()]
        self._codes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes, Grid | None], Map] = {}

    def tensor(
        self,
        shape: Sequence[int],
        name: str = "",
        *,
        kind: str = "FLOAT32",
        grid: Grid | None = None,
    ) -> Map:
        """A new tensor without a content."""
        made, number = schema.TensorT(), len(self._graph.tensors)
        made.name, made.shape = name or f"map{number}", list(shape)
        made.type = getattr(schema.TensorType, kind)
        made.buffer = 0
        if grid is not None:
            self.grids[number] = grid
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array(grid.steps, np.float32)
            made.quantization.zeroPoint = np.full(len(grid.steps), grid.zero, np.int64)
            made.quantization.quantizedDimension = grid.axis
        self._graph.tensors.append(made)
        return Map(number, tuple(shape))

    def constant(self, values: npt.ArrayLike, grid: Grid | None = None) -> Map:
        """A tensor of float32, float16, int32 or int8 numbers, the same for the same numbers."""
        array = np.ascontiguousarray(values)
        if array.dtype not in (np.int8, np.float16):
            array = array.astype(np.int32 if array.dtype.kind in "iu" else np.float32)
        kind, content = _KINDS[array.dtype], array.tobytes()
        key = (kind, array.shape, content, grid)
        if key not in self._constants:
            name = f"constant{len(self._constants)}"
            made = self.tensor(array.shape, name, kind=kind, grid=grid)
            self._graph.tensors[made.number].buffer = self._buffer(content)
            self.values[made.number] = array
            self._constants[key] = made
        return self._constants[key]

    def add(
        self,
        operator: str,
        inputs: Sequence[Map],
        shape: Sequence[int],
        /,
        kind: str = "FLOAT32",
        grid: Grid | None = None,
        **options: Mapping[str, Any],
    ) -> Map:
        """One operator more.

        Args:
            operator: its name in the schema, ``"CONV_2D"``.
            inputs: what it takes.
            shape: of what it makes.
            kind: of what it makes.
            grid: of the same, where those are whole numbers that stand for others.
            options: by the name of their table in the schema, which is one at most.
        """
        made, out = schema.OperatorT(), self.tensor(shape, kind=kind, grid=grid)
        self.steps.append(Step(operator, tuple(inputs), out, kind, options))
        kinds = {self._graph.tensors[one.number].type for one in (*inputs, out)}
        made.opcodeIndex = self._code(operator, kinds)
        made.inputs, made.outputs = [one.number for one in inputs], [out.number]
        for table, values in options.items():
            made.builtinOptions = getattr(schema, f"{table}T")()
            made.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            for name, value in values.items():
                setattr(made.builtinOptions, name, value)
        self._graph.operators.append(made)
        return out

    def to_bytes(
        self,
        image: tuple[str, Map],
        enlarged: tuple[str, Map],
        metadata: Mapping[str, str],
        *,
        free: bool,
    ) -> bytes:
        """The file.

        Args:
            image: name and tensor of the input.
            enlarged: the same of the output.
            metadata: what the file says of itself.
            free: whether number of images, height and width may be others.
        """
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        for at, (name, one) in zip(("inputs", "outputs"), (image, enlarged), strict=True):
            made = self._graph.tensors[one.number]
            made.name = name
            if free:
                made.shapeSignature = [-1, -1, -1, one.shape[3]]
            named = schema.TensorMapT()
            named.name, named.tensorIndex = name, one.number
            setattr(signature, at, [named])
            setattr(self._graph, at, [one.number])
        said = schema.MetadataT()
        said.name, said.buffer = METADATA, self._buffer(json.dumps(dict(metadata)).encode())
        model = schema.ModelT()
        model.version, model.description = 3, "nas-sr"
        model.subgraphs, model.operatorCodes, model.buffers = (
            [self._graph],
            self._codes,
            self._buffers,
        )
        model.signatureDefs, model.metadata = [signature], [said]
        return sealed(packed(model))

    def _buffer(self, content: bytes) -> int:
        self._buffers.append(schema.BufferT(content))
        return len(self._buffers) - 1

    def _code(self, operator: str, kinds: Collection[int]) -> int:
        code = getattr(schema.BuiltinOperator, operator)
        usual = 3 if schema.TensorType.FLOAT16 in kinds else 1
        if schema.TensorType.INT8 in kinds:
            usual = _INT8_VERSIONS.get(operator, 2)
        version = _VERSIONS.get(operator, usual)
        for number, known in enumerate(self._codes):
            if (known.builtinCode, known.version) == (code, version):
                return number
        made = schema.OperatorCodeT()
        made.builtinCode, made.version = code, version
        # Older runtimes read this field alone, which is a signed byte.
        made.deprecatedBuiltinCode = min(
            code, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES
        )
        self._codes.append(made)
        return len(self._codes) - 1
