"""Ranges of a graph's tensors, from what photos make of them.

Methods: the least and largest value seen (``minmax``), percentiles and entropy as ONNX Runtime
computes them, and ``mse``: least expected error of clipping and rounding.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nas.data.aligned import aligned
from nas.data.photo import Photo
from nas.deploy.int8_graph import Ranges
from nas.deploy.onnx_file import INPUT
from nas.evaluate.quality import luma
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import onnx

__all__ = ["METHODS", "Seen", "crops", "ranges", "watch"]

METHODS = ("minmax", "percentile", "entropy", "mse")
"""Ways to choose a range."""

Array = npt.NDArray[np.float32]

_PERCENTILE = 99.999
# Its search is quadratic in them, in plain Python.
_ENTROPY_BINS = 128
_CANDIDATES = 24
_LEVELS = 255
_SIGMOID_END = 8.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tensors of a graph were on photos: two ways of counting, for two kinds of method.

    Attributes:
        fine: ONNX Runtime's calibrator with 2,048 bins a tensor.
        coarse: one with few bins, which entropy needs; None where nobody asked for it.
    """

    fine: Any
    coarse: Any


def crops(
    photos: Sequence[Photo], scale: int, *, colors: int = 3, count: int = 24, side: int = 64
) -> list[Array]:
    """LR crops of at most ``side`` pixels, each (1, colors, h, w) in 0..1, the same every time.

    Raises:
        InputError: no photos, one smaller than an LR pixel, or an LR of another scale.
    """
    if not photos:
        raise InputError("calibration needs photos, got none; give a folder of them")
    rng = np.random.default_rng(0)
    order = [photos[k % len(photos)] for k in rng.permutation(max(count, len(photos)))[:count]]
    made = []
    for photo in order:
        lr = aligned(photo, scale).lr
        top, left = (int(rng.integers(0, max(1, length - side + 1))) for length in lr.shape[:2])
        cut = lr[top : top + side, left : left + side]
        planes = cut.transpose(2, 0, 1) if colors == 3 else luma(cut)[None]
        made.append(np.ascontiguousarray(planes[None], np.float32) / np.float32(255))
    return made


def watch(path: Path, images: Sequence[Array], *, entropy: bool) -> Seen:
    """Runs the float graph at ``path`` on the images and counts every tensor's values."""
    from onnxruntime.quantization.calibrate import CalibrationMethod, create_calibrator

    # The calibrators print a line for every image.
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):

        def watch_by(method: Any, options: Mapping[str, Any]) -> Any:
            made = create_calibrator(
                path, None, augmented_model_path=str(Path(folder) / "watched.onnx"),
                calibrate_method=method, extra_options=options,
            )  # fmt: skip
            for image in images:
                # One at a time: a calibrator holds every tensor of all the images it is given.
                reader = SimpleNamespace(get_next=iter(({INPUT: image}, None)).__next__)
                made.collect_data(reader)
            return made

        fine = watch_by(
            CalibrationMethod.Percentile,
            {"percentile": _PERCENTILE, "num_bins": 2048, "symmetric": False},
        )
        coarse = None
        if entropy:
            coarse = watch_by(
                CalibrationMethod.Entropy, {"num_bins": _ENTROPY_BINS, "symmetric": False}
            )
    return Seen(fine, coarse)


def ranges(seen: Seen, method: str, model: onnx.ModelProto) -> Ranges:
    """A range for every tensor.

    The image's is 0..1, so that 8-bit pixels are exact, also when multiplied or shifted.

    Raises:
        InputError: an unknown method.
    """
    if method not in METHODS:
        raise InputError(f"calibration: expected {', '.join(METHODS)} or best, got {method}")
    histograms = seen.fine.collector.histogram_dict
    if method == "minmax":
        found = {name: (float(h[2]), float(h[3])) for name, h in histograms.items()}
    elif method == "mse":
        found = _least_error(histograms, model)
    else:
        with contextlib.redirect_stdout(io.StringIO()):
            data = (seen.coarse if method == "entropy" else seen.fine).compute_data()
        found = {name: (float(one.lowest), float(one.highest)) for name, one in data.items()}
    return _before_sigmoids(found, model) | _exact(model)


def _before_sigmoids(found: Ranges, model: onnx.ModelProto) -> Ranges:
    """Where sigmoids alone read a tensor, they are next to 0 or 1 beyond these ends."""
    readers: dict[str, set[str]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, set()).add(node.op_type)
    alone = {name for name, kinds in readers.items() if kinds == {"Sigmoid"}}
    return {
        name: (max(low, -_SIGMOID_END), min(high, _SIGMOID_END)) if name in alone else (low, high)
        for name, (low, high) in found.items()
    }


def _least_error(histograms: Mapping[str, Any], model: onnx.ModelProto) -> Ranges:
    """Per tensor; before a leaky activation, errors below zero count as much as they will."""
    readers: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found: Ranges = {}
    after: Ranges = {}
    for name, (counts, edges, least, most, *_) in histograms.items():
        nodes = readers.get(name, [])
        alone = len(nodes) == 1 and nodes[0].op_type == "LeakyRelu"
        slope = _slope(nodes[0]) if alone else 1.0
        low, high = _best_range(counts, edges, float(least), float(most), slope)
        found[name] = (low, high)
        if alone:
            after[nodes[0].output[0]] = _after_leaky(low, high, slope)
    return found | after


def _after_leaky(low: float, high: float, slope: float) -> tuple[float, float]:
    """The step before, or a whole part of it: what is positive passes exactly.

    Where most is negative before, that leaves hardly a level of a whole step for it.
    """
    parts = max(1, int((high - low) / max(high - slope * low, 1e-6)))
    return slope * low, slope * low + (high - low) / parts


def _slope(node: Any) -> float:
    return next((a.f for a in node.attribute if a.name == "alpha"), 0.01)


def _best_range(
    counts: npt.NDArray[np.int64],
    edges: npt.NDArray[np.float32],
    least: float,
    most: float,
    slope: float,
) -> tuple[float, float]:
    centres = (edges[:-1] + edges[1:]) / 2
    worth = np.where(centres < 0, slope, 1.0) ** 2 * counts
    lows = least * np.linspace(1, 0.02, _CANDIDATES) if least < 0 else np.zeros(1)
    highs = most * np.linspace(1, 0.3, _CANDIDATES) if most > 0 else np.zeros(1)
    below = [(worth * np.minimum(centres - low, 0) ** 2).sum() for low in lows]
    above = [(worth * np.maximum(centres - high, 0) ** 2).sum() for high in highs]
    step = (highs[None, :] - lows[:, None]) / _LEVELS
    error = np.array(below)[:, None] + np.array(above)[None, :] + worth.sum() * step**2 / 12
    row, column = np.unravel_index(np.argmin(error), error.shape)
    return float(lows[row]), float(highs[column])


def _exact(model: onnx.ModelProto) -> Ranges:
    """The image and what sums and products with constants make of it before any layer."""
    from onnx import numpy_helper

    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    known: Ranges = {model.graph.input[0].name: (0.0, 1.0)}
    actions = {"Mul": np.multiply, "Add": np.add, "Sub": np.subtract}
    for node in model.graph.node:
        if node.op_type in actions and node.input[0] in known and node.input[1] in constants:
            ends = [
                actions[node.op_type](end, constants[node.input[1]]) for end in known[node.input[0]]
            ]
            known[node.output[0]] = (float(np.min(ends)), float(np.max(ends)))
    return known
