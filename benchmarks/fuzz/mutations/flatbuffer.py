"""Files of LiteRT that are laid out by its schema, and hold another network than they should."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.mutations.values import strange

__all__ = ["other_flatbuffer", "unsealed"]

_NUMBERS = (0, 1, 2, -1, 7, 64, 255, 1_000_000, 2**31 - 1, -(2**31))
_SEAL = b"nas-sr:sha256:"


def unsealed(path: Path) -> None:
    """As of another maker: without the digest by which ours are known to be whole."""
    path.write_bytes(path.read_bytes().rpartition(_SEAL)[0])


def other_flatbuffer(rng: random.Random, path: Path) -> str:
    """Changes what an unsealed file says or does; returns what."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    way = rng.choice(tuple(_WAYS))
    _WAYS[way](rng, model)
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return way


def _metadata(rng: random.Random, model: Any) -> None:
    said = str(strange(rng)).encode("utf-8", "replace")[:100_000]
    if rng.random() < 0.3:
        model.metadata[0].buffer = rng.choice((0, len(model.buffers), 2**31))
    else:
        model.buffers[model.metadata[0].buffer].data = list(said)


def _shape(rng: random.Random, model: Any) -> None:
    tensor = rng.choice(model.subgraphs[0].tensors)
    shape = list(tensor.shape)
    if shape and rng.random() < 0.7:
        shape[rng.randrange(len(shape))] = rng.choice(_NUMBERS)
    else:
        shape = shape[:-1] if rng.random() < 0.5 else [*shape, 1]
    tensor.shape = shape
    tensor.shapeSignature = rng.choice((None, tensor.shapeSignature, shape))


def _kind(rng: random.Random, model: Any) -> None:
    rng.choice(model.subgraphs[0].tensors).type = rng.choice((0, 1, 2, 4, 5, 9, 13, 17, 99))


def _weights(rng: random.Random, model: Any) -> None:
    held = [one for one in model.buffers if one.data is not None and len(one.data)]
    one = rng.choice(held)
    size = rng.choice((0, 1, len(one.data) // 2, len(one.data) - 1, len(one.data) + 64))
    one.data = [rng.randrange(256) for _ in range(size)]


def _operator(rng: random.Random, model: Any) -> None:
    code = rng.choice(model.operatorCodes)
    code.builtinCode = rng.choice((*range(60), 127, 128, 150, 999))
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)


def _wiring(rng: random.Random, model: Any) -> None:
    graph = model.subgraphs[0]
    operator = rng.choice(graph.operators)
    ends = rng.choice(("inputs", "inputs", "outputs"))
    tensors = list(getattr(operator, ends))
    if rng.random() < 0.3:
        tensors = tensors[: rng.randrange(len(tensors))]
    else:
        wrong = (-1, -2, len(graph.tensors), 2**31 - 1, *range(len(graph.tensors)))
        tensors[rng.randrange(len(tensors))] = rng.choice(wrong)
    setattr(operator, ends, tensors)


def _options(rng: random.Random, model: Any) -> None:
    told = [one.builtinOptions for one in model.subgraphs[0].operators if one.builtinOptions]
    options = rng.choice(told)
    names = [name for name, value in vars(options).items() if isinstance(value, int)]
    if names:
        name, bits = rng.choice(names), (1, 127, -128)
        small = getattr(options, name) in (0, 1) and "stride" not in name.lower()
        setattr(options, name, rng.choice(bits if small else _NUMBERS))


def _grid(rng: random.Random, model: Any) -> None:
    from ai_edge_litert import schema_py_generated as schema

    made = schema.QuantizationParametersT()
    made.scale = [rng.choice((0.0, -1.0, 1e-40, 1e38, float("nan")))] * rng.choice((1, 3))
    made.zeroPoint = [rng.choice((0, 300, -(2**40)))] * rng.choice((1, 2))
    made.quantizedDimension = rng.choice((0, 3, 9))
    tensor = rng.choice(model.subgraphs[0].tensors)
    tensor.quantization, tensor.type = made, 9


def _ends(rng: random.Random, model: Any) -> None:
    graph = model.subgraphs[0]
    setattr(graph, rng.choice(("inputs", "outputs")), rng.choice(([], [0, 0], [9_999], [-1], [1])))


def _empty(rng: random.Random, model: Any) -> None:
    setattr(
        model.subgraphs[0] if rng.random() < 0.5 else model,
        *rng.choice((("operators", []), ("tensors", []), ("subgraphs", []), ("buffers", []))),
    )


_WAYS: dict[str, Callable[[random.Random, Any], None]] = {
    "other metadata": _metadata,
    "another shape": _shape,
    "another kind of numbers": _kind,
    "other weights": _weights,
    "another operator": _operator,
    "other wiring": _wiring,
    "other options": _options,
    "another grid": _grid,
    "other ends": _ends,
    "nothing in it": _empty,
}
