"""On which grids the tensors of a draft are rounded to int8, by the ranges of their values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from nas.deploy.int8_graph import Ranges
from nas.deploy.litert.convolved import origin
from nas.deploy.litert.draft import Grid, Map, Step
from nas.deploy.litert.walk import Walk

__all__ = [
    "FIXED",
    "LAYERS",
    "LEAST",
    "MOST",
    "MOVING",
    "grid_of",
    "grids",
    "ranges_by_number",
    "read_in_int8",
    "room",
]

LEAST, MOST, _LEVELS = -128, 127, 255
_WORTH_WIDENING = 1.5

LAYERS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}
"""By axis of their kernels, of which each place has a step of its own."""

MOVING = {
    "STRIDED_SLICE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "RESIZE_BILINEAR", "DEPTH_TO_SPACE", "PAD",
    "CONCATENATION",
}  # fmt: skip
"""LiteRT has them in int8 on one grid alone: values are moved, or chosen. What is joined of maps
with ranges of their own is put on one grid first."""

FIXED = {"LOGISTIC": Grid((1 / 256,), LEAST), "TANH": Grid((1 / 128,), 0)}
"""LiteRT asks for these grids."""


def ranges_by_number(walk: Walk, ranges: Ranges) -> dict[int, tuple[float, float]]:
    """Ranges by the tensors' numbers; before a ReLU alone the ReLU's own, which end at 0, too."""
    known = {
        one.number: ranges[origin(name)]
        for name, one in walk.maps.items()
        if origin(name) in ranges
    }
    makers = {step.output.number: step.operator for step in walk.draft.steps}
    readers = [one.number for step in walk.draft.steps for one in step.inputs]
    for step in walk.draft.steps:
        before = step.inputs[0].number
        if (
            step.operator == "RELU"
            and readers.count(before) == 1
            and makers.get(before) in (*LAYERS, "ADD")
            and step.output.number in known
        ):
            known[before] = known[step.output.number]
    return known


def read_in_int8(step: Step) -> tuple[Map, ...]:
    """Of a step in int8, the inputs that are so, too; what says sizes and places is not."""
    aside = step.operator in MOVING and step.operator != "CONCATENATION"
    return step.inputs[:1] if aside else step.inputs


def grids(
    steps: Sequence[Step], floats: Collection[int], known: Mapping[int, tuple[float, float]]
) -> dict[int, Grid]:
    """By the number of a tensor; those between which values are moved have the same.

    Args:
        steps: of the draft.
        floats: places of those that compute in float32.
        known: from `ranges_by_number`.
    """
    leader: dict[int, int] = {}

    def of(number: int) -> int:
        while number in leader:
            number = leader[number]
        return number

    fixed: dict[int, Grid] = {}
    for k, step in enumerate(steps):
        if k in floats:
            continue
        if step.operator in FIXED:
            fixed[step.output.number] = FIXED[step.operator]
        if step.operator in MOVING:
            joins = step.operator == "CONCATENATION" and step.output.number in known
            for one in read_in_int8(step):
                if joins and one.number in known:
                    continue
                if of(one.number) != of(step.output.number):
                    leader[of(one.number)] = of(step.output.number)
    alone = {number for number in fixed if number not in leader}
    alone -= {of(number) for number in leader}
    joined: dict[int, list[tuple[float, float]]] = {}
    for number, ends in known.items():
        joined.setdefault(of(number), []).append(ends)
    shared = {
        group: grid_of(min(0.0, *(low for low, _ in ends)), max(0.0, *(high for _, high in ends)))
        for group, ends in joined.items()
    }
    every = {one.number for step in steps for one in (*step.inputs, step.output)}
    found = {number: shared[of(number)] for number in every if of(number) in shared}
    return found | {number: fixed[number] for number in alone}


def room(own: Grid, whole: Grid) -> float:
    """How many times as large the values of one grid may become to fill another.

    1 where that is next to nothing: the grid has levels enough.
    """
    ends = [[(level - one.zero) * one.steps[0] for level in (LEAST, MOST)] for one in (own, whole)]
    found = float(min(there / here for here, there in zip(*ends, strict=True) if here))
    return found if found >= _WORTH_WIDENING else 1.0


def grid_of(low: float, high: float) -> Grid:
    """From ``low`` of at most 0 to ``high`` of at least 0, 0 among its values."""
    step = float(np.float32((high - low) / _LEVELS)) or 1 / _LEVELS
    return Grid((step,), int(np.clip(round(LEAST - low / step), LEAST, MOST)))
