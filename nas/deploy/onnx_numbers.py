"""In which number format an ONNX file computes."""

from __future__ import annotations

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from search_spaces.errors import InputError, first_line
from search_spaces.extras import need

__all__ = ["number_format"]

# Operators with weights, and which input these are.
_WEIGHTS = {"Conv": 1, "ConvTranspose": 1, "Gemm": 1, "MatMul": 1, "ConvInteger": 1,
            "MatMulInteger": 1, "QLinearConv": 3, "QLinearMatMul": 3}  # fmt: skip
_NAMES = {"FLOAT": "float32", "DOUBLE": "float64", "UINT8": "int8"}


def number_format(path: Path | str) -> str:
    """The format that a network's layers compute in, such as ``"float32"`` or ``"int8"``.

    Where they differ, as in an int8 file that keeps some layers in float, that of most weights
    comes first: ``"int8 and float32"``.

    Raises:
        InputError: the packages for ONNX are missing, or the file cannot be read.
    """
    need("ONNX", "export", "onnx")
    import onnx

    try:
        # Weights in files of their own say nothing that the graph does not.
        graph = onnx.load(str(path), load_external_data=False).graph
    # Its errors are those of protobuf, which has several makers.
    except Exception as error:
        raise InputError(f"{path}: expected an .onnx file ({first_line(error)})") from None
    held = {one.name: one for one in graph.initializer}
    made_by = {out: node for node in graph.node for out in node.output}
    counted: Counter[int] = Counter()
    for node in graph.node:
        at = _WEIGHTS.get(node.op_type)
        if at is not None and at < len(node.input):
            kind, count = _weights(node.input[at], held, made_by)
            counted[kind] += count
    kinds = [kind for kind, count in counted.most_common() if count]
    kinds = kinds or [graph.input[0].type.tensor_type.elem_type]
    names = [onnx.TensorProto.DataType.Name(kind) for kind in kinds]
    return " and ".join(dict.fromkeys(_NAMES.get(name, name.lower()) for name in names))


def _weights(name: str, held: dict[str, Any], made_by: dict[str, Any]) -> tuple[int, int]:
    """The type that weights are multiplied in, and how many; 0 of them where that is not known."""
    cast = 0
    while name not in held:
        node = made_by.get(name)
        if node is None or not node.input:
            return 0, 0
        if node.op_type == "Cast" and not cast:
            # Those that are exact in fewer bits are stored so.
            cast = next(one.i for one in node.attribute if one.name == "to")
        name = node.input[0]
    return cast or held[name].data_type, prod(held[name].dims)
