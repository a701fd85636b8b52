"""A .tflite file for images of any size as one for images of one size, which devices take fastest.

Whoever loads the file as it is, and resizes no input, gets the size that it was drafted at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nas.deploy.litert.export import layout
from nas.deploy.litert.interpreter import METADATA, content_of, is_sealed, sealed
from search_spaces.errors import InputError, first_line
from search_spaces.files import atomic_path

__all__ = ["write_sized"]

_HEIGHT, _WIDTH = 1, 2


def write_sized(path: Path, target: Path, lr_size: tuple[int, int]) -> Path:
    """Writes the same network for one image of that size.

    What follows from the image's size is computed here, and what only smaller images need is left
    out, as `nas.deploy.litert.export.export_litert` does with an ``lr_size``.

    Args:
        path: of a .tflite file, of this package or of another maker.
        target: what to write.
        lr_size: (height, width).

    Returns:
        The target; ``path`` where it takes images of one size alone, whatever that is.

    Raises:
        InputError: LiteRT is missing, the file is none that it can load, or not of one image.
    """
    content = content_of(path)
    from ai_edge_litert import schema_py_generated as schema

    from nas.deploy.litert.packed import packed

    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
        (graph,) = model.subgraphs
        (image,) = (graph.tensors[k] for k in graph.inputs)
        signature = [] if image.shapeSignature is None else list(image.shapeSignature)
        if -1 not in signature[_HEIGHT : _WIDTH + 1]:
            return path
        _Sized(model, graph, image, lr_size)
        if is_sealed(content):
            _tell(model, lr_size)
        made = packed(model)
    # What is no such file goes wrong in every way.
    except Exception as error:
        raise InputError(
            f"{path}: cannot be made one for {lr_size[1]}x{lr_size[0]} ({first_line(error)}); "
            f"export the network with --size"
        ) from error
    with atomic_path(target) as temporary:
        temporary.write_bytes(sealed(made) if is_sealed(content) else made)
    return target


def _tell(model: Any, lr_size: tuple[int, int]) -> None:
    """What a file of ours says of itself, with the size that it takes now."""
    for entry in model.metadata:
        if entry.name == METADATA.encode():
            held = model.buffers[entry.buffer]
            said = {**json.loads(bytes(held.data)), "layout": layout(lr_size)}
            held.data = json.dumps(said).encode()


class _Sized:
    """The model, changed where it lies."""

    def __init__(self, model: Any, graph: Any, image: Any, lr_size: tuple[int, int]) -> None:
        self._model, self._graph = model, graph
        for tensor in graph.tensors:
            tensor.shapeSignature = None
        image.shape = [1, *lr_size, image.shape[-1]]
        self._compute_sizes()
        self._follow_shapes()
        self._drop_what_is_cut_off()

    def _compute_sizes(self) -> None:
        """Numbers that follow from the image's size become constants."""
        graph, follow = self._graph, dict[int, None]()
        steps = [step for step in graph.operators if self._is_size(step, follow)]
        if not steps:
            return
        whole, signatures = (graph.operators, graph.outputs), self._model.signatureDefs
        graph.operators, graph.outputs, self._model.signatureDefs = steps, list(follow), None
        part = self._interpreter()
        (graph.operators, graph.outputs), self._model.signatureDefs = whole, signatures
        part.invoke()
        for number in follow:
            self._hold(number, part.get_tensor(number))
        graph.operators = [step for step in graph.operators if step not in steps]

    def _is_size(self, step: Any, follow: dict[int, None]) -> bool:
        """Whether it is of the image's shape or of what follows from it alone, which it adds to."""
        reads = [number for number in step.inputs if number >= 0]
        begins = self._is(step, "SHAPE") and reads == list(self._graph.inputs)
        goes_on = any(number in follow for number in reads) and all(
            number in follow or self._held(number) is not None for number in reads
        )
        if begins or goes_on:
            follow |= dict.fromkeys(map(int, step.outputs))
        return begins or goes_on

    def _follow_shapes(self) -> None:
        """What LiteRT finds the shapes to be."""
        for one in self._interpreter().get_tensor_details():
            if one["index"] < len(self._graph.tensors):
                self._graph.tensors[one["index"]].shape = one["shape"].tolist()

    def _drop_what_is_cut_off(self) -> None:
        """A map that is continued and cut to what it was is the map itself."""
        graph, same = self._graph, dict[int, int]()
        makers = {int(step.outputs[0]): step for step in graph.operators}
        for step in graph.operators:
            step.inputs = [same.get(int(number), int(number)) for number in step.inputs]
            longer = makers.get(step.inputs[0])
            is_end = step.outputs[0] in graph.outputs
            if longer is None or is_end or not self._begins_it(step, longer):
                continue
            shapes = [list(graph.tensors[k].shape) for k in (step.outputs[0], longer.inputs[0])]
            if shapes[0] == shapes[1]:
                same[int(step.outputs[0])] = longer.inputs[0]
        graph.operators = list(self._used())[::-1]

    def _begins_it(self, step: Any, longer: Any) -> bool:
        """Whether a step takes of what was joined so much from its beginning on."""
        if not self._is(step, "STRIDED_SLICE") or not self._is(longer, "CONCATENATION"):
            return False
        begin, _, strides = (self._values(number) for number in step.inputs[1:4])
        known = begin is not None and strides is not None
        return known and not begin.any() and bool((strides == 1).all())

    def _used(self) -> Iterator[Any]:
        """The steps that the output is made of, the last one first."""
        needed = set(map(int, self._graph.outputs))
        for step in reversed(self._graph.operators):
            if needed.intersection(map(int, step.outputs)):
                needed.update(step.inputs)
                yield step

    def _interpreter(self) -> Any:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        from nas.deploy.litert.packed import packed

        made = Interpreter(
            model_content=packed(self._model), num_threads=1,
            # What XNNPACK takes over is no tensor of the file any more.
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )  # fmt: skip
        made.allocate_tensors()
        return made

    def _is(self, step: Any, operator: str) -> bool:
        from ai_edge_litert import schema_py_generated as schema

        code = self._model.operatorCodes[step.opcodeIndex]
        # Files of old makers have the second field alone.
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        return bool(number == getattr(schema.BuiltinOperator, operator))

    def _values(self, number: int) -> Any:
        """Whole numbers that the file holds; None where a step makes them."""
        held = self._held(number)
        return None if held is None else np.frombuffer(bytes(held), np.int32)

    def _held(self, number: int) -> Any:
        return self._model.buffers[self._graph.tensors[number].buffer].data

    def _hold(self, number: int, values: Any) -> None:
        from ai_edge_litert import schema_py_generated as schema

        made, tensor = schema.BufferT(values.tobytes()), self._graph.tensors[number]
        tensor.buffer, tensor.shape = len(self._model.buffers), list(values.shape)
        self._model.buffers.append(made)
