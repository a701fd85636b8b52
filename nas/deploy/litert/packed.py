"""A model by LiteRT's schema as the bytes of a .tflite file."""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema
from flatbuffers import Builder

__all__ = ["packed"]

_IDENTIFIER = b"TFL3"
_ALIGNED = 16
"""Bytes; runtimes read weights where they lie in the file."""


def packed(model: Any) -> bytes:
    """The file of a ``ModelT``, whose buffers begin at multiples of 16 bytes."""
    model.buffers = [_Aligned(one.data) if _is_full(one) else one for one in model.buffers]
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _is_full(buffer: Any) -> bool:
    return buffer.data is not None and len(buffer.data) > 0


class _Aligned(schema.BufferT):  # type: ignore[misc]
    """Of the schema itself a buffer would begin anywhere."""

    def Pack(self, builder: Builder) -> Any:
        content = bytes(self.data)
        builder.StartVector(1, len(content), _ALIGNED)
        builder.head = builder.Head() - len(content)
        builder.Bytes[builder.Head() : builder.Head() + len(content)] = content
        place = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, place)
        return schema.BufferEnd(builder)
