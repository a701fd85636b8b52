"""A .tflite file in the making: tensors and operators, by the schema that LiteRT ships."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

from nas.deploy.litert.interpreter import METADATA, sealed

__all__ = ["Draft", "Map"]

Array = npt.NDArray[Any]

_IDENTIFIER = b"TFL3"
_ALIGNED = 16
"""Bytes; runtimes read weights where they lie in the file."""

_KINDS = {np.dtype(np.float32): "FLOAT32", np.dtype(np.int32): "INT32"}

# The one that has what is asked for here; of all other operators it is the first.
_VERSIONS = {"RESIZE_BILINEAR": 3}


@dataclass(frozen=True, slots=True)
class Map:
    """A tensor of a draft: its number, and its shape at the draft's size of image.

    Feature maps are (N, height, width, channels).
    """

    number: int
    shape: tuple[int, ...]


class Draft:
    """Takes tensors and operators in the order in which they are computed."""

    def __init__(self) -> None:
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        # By the schema the first buffer is empty: that of all tensors without a content.
        self._buffers = [schema.BufferT()]
        self._codes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Map] = {}

    def tensor(self, shape: Sequence[int], name: str = "", *, kind: str = "FLOAT32") -> Map:
        """A new tensor without a content."""
        made, number = schema.TensorT(), len(self._graph.tensors)
        made.name, made.shape = name or f"map{number}", list(shape)
        made.type = getattr(schema.TensorType, kind)
        made.buffer = 0
        self._graph.tensors.append(made)
        return Map(number, tuple(shape))

    def constant(self, values: npt.ArrayLike) -> Map:
        """A tensor of float32 or int32 numbers, the same for the same numbers."""
        array = np.ascontiguousarray(values)
        array = array.astype(np.int32 if array.dtype.kind in "iu" else np.float32)
        kind, content = _KINDS[array.dtype], array.tobytes()
        key = (kind, array.shape, content)
        if key not in self._constants:
            made = self.tensor(array.shape, f"constant{len(self._constants)}", kind=kind)
            self._graph.tensors[made.number].buffer = self._buffer(content)
            self._constants[key] = made
        return self._constants[key]

    def add(
        self,
        operator: str,
        inputs: Sequence[Map],
        shape: Sequence[int],
        /,
        kind: str = "FLOAT32",
        **options: Mapping[str, Any],
    ) -> Map:
        """One operator more.

        Args:
            operator: its name in the schema, ``"CONV_2D"``.
            inputs: what it takes.
            shape: of what it makes.
            kind: of what it makes.
            options: by the name of their table in the schema, which is one at most.
        """
        made, out = schema.OperatorT(), self.tensor(shape, kind=kind)
        made.opcodeIndex = self._code(operator)
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
        builder = Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
        return sealed(bytes(builder.Output()))

    def _buffer(self, content: bytes) -> int:
        self._buffers.append(_Aligned(content))
        return len(self._buffers) - 1

    def _code(self, operator: str) -> int:
        code = getattr(schema.BuiltinOperator, operator)
        for number, known in enumerate(self._codes):
            if known.builtinCode == code:
                return number
        made = schema.OperatorCodeT()
        made.builtinCode, made.version = code, _VERSIONS.get(operator, 1)
        # Older runtimes read this field alone, which is a signed byte.
        made.deprecatedBuiltinCode = min(
            code, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES
        )
        self._codes.append(made)
        return len(self._codes) - 1


class _Aligned(schema.BufferT):  # type: ignore[misc]
    """A buffer that begins at a multiple of 16 bytes; that of the schema would begin anywhere."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content

    def Pack(self, builder: Builder) -> Any:
        length = len(self.content)
        builder.StartVector(1, length, _ALIGNED)
        builder.head = builder.Head() - length
        builder.Bytes[builder.Head() : builder.Head() + length] = self.content
        place = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, place)
        return schema.BufferEnd(builder)
