"""LiteRT: running .tflite files, on the CPU."""

from __future__ import annotations

import json
import os
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nas.deploy.litert import trial
from nas.deploy.onnx_file import INPUT
from nas.deploy.opened import Opened, Taken
from nas.deploy.own_process import ends_well
from nas.deploy.parity import Array, Run
from nas.evaluate.threads import usual_threads
from search_spaces.errors import InputError, first_line
from search_spaces.extras import need
from search_spaces.regular import irregular, read_regular

__all__ = [
    "METADATA", "NEEDED", "content_of", "is_sealed", "number_format", "open_litert", "open_tflite",
    "sealed",
]  # fmt: skip

NEEDED = ("ai_edge_litert", "flatbuffers")
"""What the extra brings."""

METADATA = "nas-sr"
"""Under this name a file of ours holds what `nas.deploy.metadata` says, as JSON."""

_SEAL = b"nas-sr:sha256:"
"""Behind it, at the end, where LiteRT reads no more, a file of ours has a digest of the rest."""

_REDIRECTING = threading.Lock()

_FIRST_TO_LAST, _LAST_TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def open_litert(path: Path | str) -> Run:
    """A function that runs a .tflite file of ours: (N, colors, h, w) to (N, colors, H, W).

    Raises:
        InputError: LiteRT is missing, or the file is not one that it can load.
    """
    opened = open_tflite(path)
    return lambda image: opened.run({INPUT: image})


def open_tflite(path: Path | str, *, threads: int | None = None) -> Opened:
    """Any .tflite file in LiteRT, on the CPU: inputs and outputs channels first, as elsewhere.

    Raises:
        InputError: LiteRT is missing, or the file is not one that it can load.
    """
    content = content_of(path)
    from ai_edge_litert.interpreter import Interpreter

    if not is_sealed(content) and not ends_well(trial.__file__, str(path)):
        raise InputError(f"{path}: LiteRT would end with it, or not come to an end: it is damaged")
    try:
        with _without_remarks():
            # Of a path it would believe all that the file says of itself.
            interpreter = Interpreter(model_content=content, num_threads=threads or usual_threads())
            interpreter.allocate_tensors()
    # ValueError where a file is none, RuntimeError where its operators don't go together.
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path}: LiteRT cannot load it ({first_line(error)})") from None
    taken = {one["name"]: one["index"] for one in interpreter.get_input_details()}
    outputs = [one["index"] for one in interpreter.get_output_details()]
    lock, sizes = threading.Lock(), dict[int, tuple[int, ...]]()

    def run(given: Mapping[str, Array]) -> Array:
        # An interpreter has one set of tensors.
        with lock:
            channels_last = {
                taken[name]: _turned(array, _FIRST_TO_LAST) for name, array in given.items()
            }
            resized = {
                index: array.shape for index, array in channels_last.items()
                if sizes.get(index) != array.shape
            }  # fmt: skip
            if resized:
                with _without_remarks():
                    for index, shape in resized.items():
                        # Not there again until it was understood.
                        sizes.pop(index, None)
                        interpreter.resize_tensor_input(index, shape)
                    interpreter.allocate_tensors()
                sizes.update(resized)
            for index, array in channels_last.items():
                interpreter.set_tensor(index, array)
            interpreter.invoke()
            # A copy, made before another thread runs it again.
            found = interpreter.get_tensor(outputs[0])
        return np.asarray(_turned(found, _LAST_TO_FIRST), np.float32)

    inputs = tuple(
        Taken(one["name"], np.dtype(one["dtype"]).name, _shape(one["shape_signature"]))
        for one in interpreter.get_input_details()
    )
    return Opened(run, inputs, len(outputs), _metadata(content))


def sealed(content: bytes) -> bytes:
    """A file of ours with the digest by which it is known to be whole when it is opened.

    LiteRT itself checks how a file is laid out, and not what it says.
    """
    return content + _SEAL + sha256(content).digest()


def number_format(path: Path | str) -> str:
    """The format of a network's weights, such as ``"float32"`` or ``"int8 and float32"``.

    That of most weights comes first.

    Raises:
        InputError: LiteRT is missing, or the file cannot be read.
    """
    content = content_of(path)
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.TensorType).items()}
    weighted = {getattr(schema.BuiltinOperator, name) for name in _WEIGHTED}
    counted: Counter[str] = Counter()
    try:
        graph = schema.ModelT.InitFromPackedBuf(content, 0)
        for one in graph.subgraphs:
            for operator in one.operators:
                if graph.operatorCodes[operator.opcodeIndex].builtinCode in weighted:
                    weights = one.tensors[operator.inputs[1]]
                    counted[names[weights.type].lower()] += prod(weights.shape)
    # What is no such file goes wrong in every way.
    except Exception as error:
        raise InputError(f"{path}: expected a .tflite file ({first_line(error)})") from None
    return " and ".join(name for name, _ in counted.most_common()) or "float32"


def content_of(path: Path | str) -> bytes:
    """The bytes of a .tflite file.

    Raises:
        InputError: LiteRT is missing, the file cannot be read, or is one of ours that was damaged.
    """
    need("LiteRT", "litert", *NEEDED)
    if problem := irregular(path):
        raise InputError(f"{path}: {problem}; expected a .tflite file")
    try:
        content = read_regular(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if is_sealed(content):
        rest, _, digest = content.rpartition(_SEAL)
        if sha256(rest).digest() != digest:
            raise InputError(
                f"{path}: it was damaged since it was written; export the network again"
            )
    return content


def is_sealed(content: bytes) -> bool:
    """Whether a file is one of ours."""
    return content[: -sha256().digest_size].endswith(_SEAL)


def _metadata(content: bytes) -> dict[str, str]:
    """What a file of ours says of itself; one of another maker has no such entry."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    for k in range(model.MetadataLength()):
        entry = model.Metadata(k)
        if entry.Name() == METADATA.encode():
            try:
                said = json.loads(bytes(model.Buffers(entry.Buffer()).DataAsNumpy()))
                return {str(key): str(text) for key, text in said.items()}
            # LiteRT itself has no use for it, and has not looked at it.
            except (ValueError, TypeError, AttributeError, struct.error, RecursionError):
                return {}
    return {}


def _shape(signature: Any) -> tuple[int | None, ...]:
    sides = tuple(None if side < 0 else int(side) for side in signature)
    return tuple(sides[axis] for axis in _LAST_TO_FIRST) if len(sides) == 4 else sides


def _turned(array: Array, axes: tuple[int, ...]) -> Array:
    return np.ascontiguousarray(array.transpose(axes)) if array.ndim == 4 else array


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Without the line on which of its parts computes, which LiteRT writes past Python.

    It writes it when tensors are allocated. All of the process is without standard error meanwhile.
    """
    # Of two threads at once the later one would put back what the earlier one has put there.
    with _REDIRECTING, ExitStack() as undone:
        try:
            kept = os.dup(2)
        # There is no standard error.
        except OSError:
            yield
            return
        undone.callback(os.close, kept)
        nothing = os.open(os.devnull, os.O_WRONLY)
        undone.callback(os.close, nothing)
        os.dup2(nothing, 2)
        undone.callback(os.dup2, kept, 2)
        yield
