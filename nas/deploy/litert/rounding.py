"""The draft of a .tflite file in int8: which of its steps, and on which grids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nas.deploy.float_parts import Part, float_parts
from nas.deploy.int8_graph import Ranges
from nas.deploy.litert.draft import Draft, Grid, Map, Step
from nas.deploy.litert.grids import (
    FIXED,
    LAYERS,
    LEAST,
    MOST,
    MOVING,
    grid_of,
    grids,
    ranges_by_number,
    read_in_int8,
    room,
)
from nas.deploy.litert.walk import Walk
from nas.deploy.onnx_file import INPUT, OUTPUT
from nas.deploy.parity import Array

__all__ = ["Rounding"]

_LARGEST_BIAS = 2.0**30
_CHANNELS = 3
# Of fewer weights the operator takes more bytes than it saves.
_WORTH_HALVING = 200

# Whatever else there is stays in float: means of the whole image decide for all of it, and of the
# rest XNNPACK, which is what computes fast, has no int8.
_INT8 = {*LAYERS, *MOVING, *FIXED, "ADD", "SUB", "MUL", "LEAKY_RELU", "RELU"}
# A gate that stays below has less than 32 levels on the grid that LiteRT asks for. It is computed
# in float, and rounded on a grid of its own.
_WHOLE, _NARROW = (0.0, 1.0), 1 / 8


class Rounding:
    """The draft of a walk once more, in int8 but for some of its steps.

    Args:
        walk: in float32.
        ranges: by the names of the graph.
        layers: by the place of a step, the name of the layer that it is.
        kept: layers that stay in float32.

    Attributes:
        walk: in float32.
        draft: in int8.
        ends: of it, image and enlarged image.
        grids: by the numbers of the walk's tensors, those of what is rounded.
        layers: by the place of a step in the draft that is a layer in int8, its place in the walk,
            and its name.
        wider: by the number of a map in the draft that is as large as fits, its own grid and the
            one that it fills.
        joined: by the number of a joined map, channels and number of each of its parts that are
            so, None for the others.
    """

    def __init__(
        self, walk: Walk, ranges: Ranges, layers: Mapping[int, str], kept: Collection[str]
    ) -> None:
        self.walk, self._before, self._names = walk, walk.draft, layers
        steps = walk.draft.steps
        known = ranges_by_number(walk, ranges)
        floats = {
            k for k, step in enumerate(steps)
            if step.operator not in _INT8 or step.kind != "FLOAT32" or layers.get(k) in kept
            or (step.operator == "LOGISTIC" and known.get(step.output.number, _WHOLE)[1] < _NARROW)
        }  # fmt: skip
        floats = _spread(steps, floats, layers)
        self.grids = grids(steps, floats, known)
        rounds = {k for k, step in enumerate(steps) if k not in floats and self._has_grids(step)}
        self._weighted = _read_by_weights_alone(steps, rounds) - {walk.maps[OUTPUT].number}
        # By the number of a tensor, how many times as large its channels are as before.
        self._widened: dict[int, Array] = {}
        self.draft = Draft()
        self.layers: dict[int, tuple[int, str]] = {}
        self.wider: dict[int, tuple[Grid, Grid]] = {}
        self.joined: dict[int, list[tuple[int, int | None]]] = {}
        image = walk.maps[INPUT]
        self._float = {image.number: self.draft.tensor(image.shape, INPUT)}
        self._int8: dict[int, Map] = {}
        for k, step in enumerate(steps):
            if k in rounds:
                self._rounded(k, step)
            else:
                self._as_it_is(step)
        self.ends = (self._float[image.number], self._in_float(walk.maps[OUTPUT]))

    def to_bytes(self, metadata: Mapping[str, str]) -> bytes:
        """The file."""
        image, enlarged = self.ends
        return self.draft.to_bytes(
            (INPUT, image), (OUTPUT, enlarged), metadata, free=self.walk.is_free
        )

    def _has_grids(self, step: Step) -> bool:
        made = self.grids.get(step.output.number)
        return made == FIXED.get(step.operator, made) and all(
            one.number in self.grids or one.number in self._before.values
            for one in (step.output, *read_in_int8(step))
        )

    def _as_it_is(self, step: Step) -> None:
        # Whatever is asked for in float32 is in the file.
        kernels = 1 if step.operator in LAYERS else None
        inputs = [
            self._halved(one) if place == kernels else self._in_float(one)
            for place, one in enumerate(step.inputs)
        ]
        self._float[step.output.number] = self.draft.add(
            step.operator, inputs, step.output.shape, kind=step.kind, **step.options
        )

    def _halved(self, kernels: Map) -> Map:
        """In 16 bits, which LiteRT widens when it loads the file; a few as they are."""
        values = self._before.values[kernels.number]
        if values.size < _WORTH_HALVING or np.abs(values).max() > np.finfo(np.float16).max:
            return self._in_float(kernels)
        half = self.draft.constant(values.astype(np.float16))
        return self.draft.add("DEQUANTIZE", [half], kernels.shape)

    def _rounded(self, k: int, step: Step) -> None:
        first, *others = step.inputs
        inputs = [] if step.operator == "CONCATENATION" else [self._in_int8(first)]
        if step.operator in LAYERS:
            inputs += self._weights(step, LAYERS[step.operator])
            if k in self._names:
                self.layers[len(self.draft.steps)] = (k, self._names[k])
        elif step.operator == "CONCATENATION":
            inputs = self._joined(step)
        elif step.operator in MOVING:
            inputs += [self._in_float(one) for one in others]
        else:
            inputs += [self._in_int8(one) for one in others]
        number = step.output.number
        if step.operator == "RELU" and self.grids[number] == self.grids.get(first.number):
            # Its input's numbers begin at 0.
            self._int8[number] = inputs[0]
            return
        made = self._int8[number] = self.draft.add(
            step.operator, inputs, step.output.shape, kind="INT8", grid=self.grids[number],
            **step.options,
        )  # fmt: skip
        if number in self._widened:
            parts = zip(step.inputs, inputs, strict=True)
            self.joined[made.number] = [
                (one.shape[3], wide.number if wide.number in self.wider else None)
                for one, wide in parts
            ]

    def _in_float(self, one: Map) -> Map:
        if one.number in self._before.values:
            return self.draft.constant(self._before.values[one.number])
        if one.number not in self._float:
            inputs = [self._int8[one.number]]
            self._float[one.number] = self.draft.add("DEQUANTIZE", inputs, one.shape)
        return self._float[one.number]

    def _joined(self, step: Step) -> list[Map]:
        """Maps on the grid of what they become, each as large as fits where weights can undo it."""
        number, grid = step.output.number, self.grids[step.output.number]
        along = step.options["ConcatenationOptions"]["axis"]
        # Weights undo it for each channel, and not for each row.
        if number not in self._weighted or along != _CHANNELS:
            return [self._on(grid, one) for one in step.inputs]
        made, times = [], []
        for one in step.inputs:
            factor = room(self.grids[one.number], grid)
            if factor == 1:
                wide = self._on(grid, one)
            else:
                by = self.draft.constant(np.array([MOST], np.int8), grid_of(0, factor))
                wide = self.draft.add(
                    "MUL", [self._in_int8(one), by], one.shape, kind="INT8", grid=grid,
                    MulOptions={},
                )  # fmt: skip
                self.wider[wide.number] = self.grids[one.number], grid
            made.append(wide)
            times.append(np.full(one.shape[3], factor, np.float32))
        self._widened[number] = np.concatenate(times)
        return made

    def _on(self, grid: Grid, one: Map) -> Map:
        """In int8 on this grid."""
        if grid == self.grids[one.number]:
            return self._in_int8(one)
        made = self._int8.get(one.number) or self._float[one.number]
        return self.draft.add("QUANTIZE", [made], one.shape, kind="INT8", grid=grid)

    def _in_int8(self, one: Map) -> Map:
        if one.number in self._before.values:
            values = self._before.values[one.number]
            grid = grid_of(min(float(values.min()), 0), max(float(values.max()), 0))
            levels = np.clip(np.round(values / grid.steps[0]) + grid.zero, LEAST, MOST)
            return self.draft.constant(levels.astype(np.int8), grid)
        if one.number not in self._int8:
            self._int8[one.number] = self.draft.add(
                "QUANTIZE", [self._float[one.number]], one.shape, kind="INT8",
                grid=self.grids[one.number],
            )  # fmt: skip
        return self._int8[one.number]

    def _weights(self, step: Step, axis: int) -> tuple[Map, Map]:
        """Kernels and biases of a layer, each output on the grid of its largest weight."""
        kernels, biases = (
            self._before.values[one.number].astype(np.float64) for one in step.inputs[1:]
        )
        # (out, height, width, in)
        kernels = kernels / self._widened.get(step.inputs[0].number, 1)
        (read,) = self.grids[step.inputs[0].number].steps
        others = tuple(k for k in range(kernels.ndim) if k != axis)
        steps = np.abs(kernels).max(axis=others) / MOST
        # No finer than its bias can be told on.
        steps = np.maximum(steps, np.maximum(np.abs(biases), 1e-6) / (read * _LARGEST_BIAS))
        along = np.expand_dims(steps, others)
        levels = np.clip(np.round(kernels / along), -MOST, MOST).astype(np.int8)
        whole = np.round(biases / (steps * read)).astype(np.int32)
        return (
            self.draft.constant(levels, Grid(tuple(steps.tolist()), 0, axis)),
            self.draft.constant(whole, Grid(tuple((steps * read).tolist()))),
        )


def _read_by_weights_alone(steps: Sequence[Step], rounds: Collection[int]) -> set[int]:
    """Numbers of what one convolution in int8 reads, without groups, and nothing else."""
    readers = Counter(one.number for step in steps for one in step.inputs)
    reading = (steps[k].inputs[0].number for k in rounds if steps[k].operator == "CONV_2D")
    return {number for number in reading if readers[number] == 1}


def _spread(steps: Sequence[Step], floats: set[int], layers: Collection[int]) -> set[int]:
    """With what stands between them, or between them and the output."""
    parts = [
        Part(str(k), tuple(str(one.number) for one in step.inputs), (str(step.output.number),))
        for k, step in enumerate(steps)
    ]
    found = float_parts(parts, {str(k) for k in floats}, {str(k) for k in layers})
    return {int(name) for name in found}
