"""From measured networks to a latency model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nas.latency.device import Device
from nas.latency.measure import Measured
from nas.latency.model import Accuracy, LatencyModel, group_of
from nas.latency.operations import Operation, operations
from nas.latency.regression import Curve, basis, fit_curve
from search_spaces import Architecture
from search_spaces.errors import InputError

__all__ = ["LEAST_NETWORKS", "accuracy_of", "fit_model"]

LEAST_NETWORKS = 8
_LEAST_POINTS = 6
_PULL = 0.02


def fit_model(
    measured: Sequence[Measured],
    device: Device,
    *,
    space: str,
    made_with: dict[str, Any],
    held_out: int = 0,
) -> LatencyModel:
    """The model through measured networks.

    Where each operator was timed, its sort gets a curve of its own, and whole passes only say
    what is added up; where only whole passes were, the curves' weights come from those.

    Args:
        measured: on ``device``; of batches whose reference network was slower, all times are
            taken to be longer alike.
        device: what they were measured on.
        space: name of the space they come from.
        made_with: kept in the model.
        held_out: so many of the last ones only tell the accuracy.

    Raises:
        InputError: fewer than `LEAST_NETWORKS` to fit on.
    """
    usual_ms = float(np.median([one.reference_ms for one in measured])) if measured else 1.0
    steady = [_steadied(one, usual_ms) for one in measured]
    known, unseen = steady[: len(steady) - held_out], steady[len(steady) - held_out :]
    if len(known) < LEAST_NETWORKS:
        raise InputError(
            f"a latency model needs {LEAST_NETWORKS} networks or more to fit on, got {len(known)}"
        )
    lists = [_operations(one, device) for one in known]
    whole = np.array([one.latency_ms for one in known])
    timed = all(len(one.operations_ms) == len(of) for one, of in zip(known, lists, strict=True))
    curves = _curves(lists, known) if timed else _mixes(lists, whole)
    model = LatencyModel(device, space, curves, (1.0, 1.0, 0.0, 0.0), len(known), None, made_with)
    if timed:
        model = replace(model, totals=_totals(model, lists, whole))
    return replace(model, accuracy=accuracy_of(model, unseen)) if unseen else model


def accuracy_of(model: LatencyModel, measured: Sequence[Measured]) -> Accuracy:
    """How near the model comes to measured networks."""
    predicted = [model.predict_ms(Architecture.from_dict(one.architecture)) for one in measured]
    return Accuracy.of(predicted, [one.latency_ms for one in measured])


def _steadied(one: Measured, usual_ms: float) -> Measured:
    factor = usual_ms / one.reference_ms
    return replace(
        one,
        latency_ms=one.latency_ms * factor,
        operations_ms=tuple(ms * factor for ms in one.operations_ms),
        reference_ms=usual_ms,
    )


def _operations(one: Measured, device: Device) -> tuple[Operation, ...]:
    return operations(Architecture.from_dict(one.architecture), device.lr_size, device.dtype)


def _curves(lists: Sequence[Sequence[Operation]], measured: Sequence[Measured]) -> dict[str, Curve]:
    by_kind: defaultdict[str, list[tuple[Operation, float]]] = defaultdict(list)
    for of, one in zip(lists, measured, strict=True):
        for operation, ms in zip(of, one.operations_ms, strict=True):
            by_kind[operation.kind].append((operation, ms))
            by_kind[group_of(operation.kind)].append((operation, ms))
    curves = {}
    for kind, points in by_kind.items():
        # Every kind but a rare one has a curve; the two groups stand in for what is not seen.
        if len(points) >= _LEAST_POINTS or kind == group_of(kind):
            curve = fit_curve(*zip(*points, strict=True))
            # A group's kinds lie beside each other at equal widths: only its mix holds.
            curves[kind] = Curve(curve.weights) if kind == group_of(kind) else curve
    return curves


def _totals(
    model: LatencyModel, lists: Sequence[Sequence[Operation]], whole_ms: Any
) -> tuple[float, float, float, float]:
    from scipy.optimize import nnls

    rows = np.array([model.parts_ms(of) for of in lists])
    convolves, rest, each, constant = nnls(rows / whole_ms[:, None], np.ones(len(rows)))[0]
    return float(convolves), float(rest), float(each), float(constant)


def _mixes(lists: Sequence[Sequence[Operation]], whole_ms: Any) -> dict[str, Curve]:
    """Curves without corrections, from whole passes: all their weights at once."""
    from scipy.optimize import nnls

    kinds = sorted({operation.kind for of in lists for operation in of})
    # A kind that few networks have is not told apart from what stands beside it.
    common = [k for k in kinds if sum(any(o.kind == k for o in of) for of in lists) >= 4]
    names = [*common, "convolution", "other"]
    rows = np.zeros((len(lists), len(names), 6))
    for row, of in zip(rows, lists, strict=True):
        for operation in of:
            name = operation.kind if operation.kind in common else group_of(operation.kind)
            row[names.index(name)] += basis(operation)
    flat = rows.reshape(len(lists), -1) / whole_ms[:, None]
    scale = flat.max(0) + 1e-12
    # A pull to small weights, for there are more of them than networks.
    pull = np.eye(flat.shape[1]) * _PULL
    target = np.concatenate([np.ones(len(lists)), np.zeros(flat.shape[1])])
    weights = (nnls(np.concatenate([flat / scale, pull]), target)[0] / scale).reshape(-1, 6)
    curves = {name: Curve(of) for name, of in zip(names, weights, strict=True)}
    for group in ("convolution", "other"):
        members = [w for name, w in zip(names, weights, strict=True) if group_of(name) == group]
        if not curves[group].weights.any():
            curves[group] = Curve(np.mean(members, axis=0))
    return curves
