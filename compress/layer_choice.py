"""Which layers stay in float32: those without which an int8 network errs least."""

from __future__ import annotations

import tempfile
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from compress.calibration import Array
from nas.deploy.int8_formats import Int8Format
from nas.deploy.int8_graph import Ranges, layer_names
from nas.deploy.onnx_file import open_session

__all__ = ["choose_float_layers", "gains"]

_CROPS = 3


def choose_float_layers(
    path: Path,
    images: Sequence[Array],
    ranges: Ranges,
    fixed: Sequence[str],
    enough: Callable[[Sequence[str]], bool],
    form: Int8Format,
    *,
    rounded: Mapping[str, Array] | None = None,
    most_share: float = 0.34,
) -> tuple[str, ...]:
    """``fixed`` and as few more as ``enough`` asks for, the most sensitive for their size first.

    Args:
        path: a prepared float graph.
        images: LR crops that errors are measured on.
        ranges: of the graph's tensors.
        fixed: layers that stay in float32 anyway.
        enough: whether an int8 network with these layers in float32 is good enough.
        form: the sort of int8 file.
        rounded: weights of the other layers, see `nas.deploy.int8_graph.write_int8`.
        most_share: of all weights that may stay in float32; what is best within it is given
            where nothing is good enough.
    """
    import onnx

    model = onnx.load(str(path))
    sizes = {one.name: int(np.prod(one.dims)) for one in model.graph.initializer}
    weights = {name: sizes[f"{name}.weight"] for name in layer_names(model)}
    found = gains(path, images, ranges, form, fixed, rounded)
    order = sorted(
        (name for name in found if found[name] > 0), key=lambda name: -found[name] / weights[name]
    )
    allowed = most_share * sum(weights.values())
    steps: list[tuple[str, ...]] = []
    chosen, spent = list(fixed), 0
    for name in order:
        if spent + weights[name] > allowed:
            continue
        chosen.append(name)
        spent += weights[name]
        steps.append(tuple(chosen))
    if not steps:
        return tuple(fixed)
    # More layers in float are hardly ever worse: halving finds how many it takes.
    return steps[bisect_left(steps, True, hi=len(steps) - 1, key=enough)]


def gains(
    path: Path,
    images: Sequence[Array],
    ranges: Ranges,
    form: Int8Format,
    fixed: Sequence[str] = (),
    rounded: Mapping[str, Array] | None = None,
) -> dict[str, float]:
    """By layer: how much of the output's mean square error goes when it alone stays in float32."""
    import onnx

    images = images[:_CROPS]
    run = open_session(path)
    expected = [run(image) for image in images]

    def error(target: Path, layers: Sequence[str]) -> float:
        form.write(path, target, ranges, float_layers=layers, rounded=rounded)
        found = form.open(target)
        return float(
            np.mean([np.square(found(a) - b).mean() for a, b in zip(images, expected, strict=True)])
        )

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"one{form.ending}"
        whole = error(target, fixed)
        names = [name for name in layer_names(onnx.load(str(path))) if name not in fixed]
        return {name: 1 - error(target, (*fixed, name)) / whole for name in names}
