"""ONNX files that are whole, and hold another graph than they should."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.materials.names import PHOTOS
from benchmarks.fuzz.mutations.values import strange

__all__ = ["other_graph"]

_OUTSIDE = ("nothing.bin", "../../../etc/passwd", "/etc/passwd", f"{PHOTOS}/0.png", "x" * 5_000)


def other_graph(rng: random.Random, path: Path) -> str:
    """Changes what a graph says or does; returns what."""
    import onnx

    model = onnx.load(path)
    way = rng.choice(("metadata", *_WAYS))
    if way == "metadata":
        entry = rng.choice(model.metadata_props)
        entry.value = str(strange(rng)).encode("utf-8", "replace").decode()[:100_000]
        way = f"metadata {entry.key}: {entry.value[:40]!r}"
    else:
        model = _WAYS[way](rng, model) or model
    path.write_bytes(model.SerializeToString())
    return way


def _input(rng: random.Random, model: Any) -> None:
    from onnx import TensorProto

    others = (TensorProto.UINT8, TensorProto.DOUBLE, TensorProto.STRING, 99)
    model.graph.input[0].type.tensor_type.elem_type = rng.choice(others)


def _version(rng: random.Random, model: Any) -> None:
    model.opset_import[0].version = rng.choice((0, 1, 5, 999, -1))


def _node(rng: random.Random, model: Any) -> None:
    node = rng.choice(model.graph.node)
    if rng.random() < 0.5:
        model.graph.node.remove(node)
    else:
        node.op_type = rng.choice(("Nothing", "Relu", "Loop", "", "StringNormalizer"))


def _weights(rng: random.Random, model: Any) -> None:
    import numpy as np
    from onnx import numpy_helper

    tensor = rng.choice(model.graph.initializer)
    shape = rng.choice(((0,), (2, 2), (10**6,), ()))
    tensor.CopyFrom(numpy_helper.from_array(np.zeros(shape, np.float32), tensor.name))


def _outside(rng: random.Random, model: Any) -> None:
    from onnx import StringStringEntryProto, TensorProto

    tensor = rng.choice(model.graph.initializer)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    where = StringStringEntryProto(key="location", value=rng.choice(_OUTSIDE))
    tensor.external_data.append(where)


def _another(rng: random.Random, model: Any) -> Any:
    """One operator on an input of some shape; no network of anybody's."""
    from onnx import TensorProto, helper

    shape: Any = rng.choice((None, [1, 3, "h", "w"], [1, 3, 8, 8], [2]))
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    node = helper.make_node(rng.choice(("Identity", "Shape", "Flatten", "Exp")), ["x"], ["y"])
    graph = helper.make_graph([node], "g", [given], [made])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


def _no_output(rng: random.Random, model: Any) -> None:
    del model.graph.output[:]


_WAYS: dict[str, Callable[[random.Random, Any], Any]] = {
    "another input": _input,
    "another version": _version,
    "another node": _node,
    "other weights": _weights,
    "weights outside of the file": _outside,
    "another graph": _another,
    "no output": _no_output,
}
