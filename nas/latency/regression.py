"""The cost of one sort of operator as a function of its widths and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.latency.operations import Operation

__all__ = ["Curve", "basis", "fit_curve"]

Floats = npt.NDArray[np.float64]

# Channels that one vector instruction takes at float32 in AVX-512; half of it in AVX2.
_LANES = 16
_REACHES = (0.15, 0.3, 0.6, 1.2)
_NOISES = (1e-3, 1e-2, 1e-1, 1.0)
_MOST_POINTS = 256
# A curve corrects its mix by a few times. What a damaged file says stays a number.
_BEYOND = 20.0
# Places are logarithms of sizes, weights milliseconds a thousand million operations.
_FARTHEST, _HEAVIEST = 1e3, 1e12


@dataclass(frozen=True, slots=True)
class Curve:
    """Milliseconds of one sort of operator.

    A mix of what it reads, writes and multiplies, with non-negative weights; on top of it a
    smooth correction of its logarithm (simple kriging with a Gaussian kernel over the
    logarithms of widths and pixels) that has learnt where this device departs from the mix.

    Attributes:
        weights: of `basis`.
        places: (points, 3), where the correction was learnt; may be empty.
        strengths: (points), what each of them adds at its place.
        reach: of the kernel, in natural logarithms.
    """

    weights: Floats
    places: Floats = field(default_factory=lambda: np.empty((0, 3)))
    strengths: Floats = field(default_factory=lambda: np.empty(0))
    reach: float = 1.0

    def predict_ms(self, of: Sequence[Operation]) -> Floats:
        """(n) milliseconds of n operators of this sort."""
        mixed = np.array([basis(one) for one in of]) @ self.weights
        if len(self.strengths):
            kernel = _kernel(np.array([_place(one) for one in of]), self.places, self.reach)
            mixed = mixed * np.exp(np.clip(kernel @ self.strengths, -_BEYOND, _BEYOND))
        return np.asarray(mixed)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, rounded to what measurements are worth."""
        return {
            "weights": [float(f"{weight:.6g}") for weight in self.weights],
            "reach": self.reach,
            "points": [
                [*(round(float(x), 4) for x in place), round(float(strength), 5)]
                for place, strength in zip(self.places, self.strengths, strict=True)
            ],
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Curve:
        """From `to_dict`'s plain data."""
        points, reach = np.array(plain["points"], np.float64).reshape(-1, 4), float(plain["reach"])
        weights = np.array(plain["weights"], np.float64)
        if weights.shape != (6,) or not (np.isfinite(weights).all() and np.isfinite(points).all()):
            raise ValueError("weights or points that are no numbers")
        most = max(np.abs(points).max(initial=0.0), reach, 1 / max(reach, 1e-9))
        if most > _FARTHEST or np.abs(weights).max() > _HEAVIEST:
            raise ValueError("weights, points or a reach that no measurement gives")
        return cls(weights, points[:, :3], points[:, 3], reach)


def basis(operation: Operation) -> Floats:
    """What an operator's time is mixed from; each about 1 for a large operator.

    A constant, multiply-adds as they are and with widths rounded up to whole vectors,
    elements read, elements written, written ones rounded up alike.
    """
    o = operation
    wide_in, wide_out = (-(-c // _LANES) * _LANES for c in (o.channels_in, o.channels_out))
    padded = o.macs * (wide_in * wide_out) / max(1, o.channels_in * o.channels_out)
    if o.channels_in * o.pixels > o.read + o.pixels:
        # Not every input channel meets every output channel: depthwise, pooling.
        padded = o.macs * wide_out / max(1, o.channels_out)
    return np.array(
        [1e-2, o.macs / 1e9, padded / 1e9, o.read / 1e6, o.written / 1e6, wide_out * o.pixels / 1e6]
    )


def fit_curve(of: Sequence[Operation], times_ms: Sequence[float]) -> Curve:
    """The curve through measured operators of one sort, by relative error."""
    from scipy.optimize import nnls

    times = np.maximum(np.asarray(times_ms, np.float64), 1e-5)
    rows = np.array([basis(one) for one in of])
    # Dividing by the time makes the least squares relative; the square root heeds large ones.
    emphasis = np.sqrt(times / times.max())
    weights = nnls(rows / times[:, None] * emphasis[:, None], emphasis)[0]
    mixed = rows @ weights
    places, residuals = _gathered(of, np.log(times / np.maximum(mixed, 1e-6)), times)
    if len(places) < 4:
        return Curve(weights)
    reach, strengths = _kriging(places, residuals)
    return Curve(weights, places, strengths, reach)


def _place(operation: Operation) -> tuple[float, float, float]:
    o = operation
    return tuple(float(np.log(max(1, v))) for v in (o.channels_in, o.channels_out, o.pixels))  # type: ignore[return-value]


def _gathered(of: Sequence[Operation], values: Floats, times: Floats) -> tuple[Floats, Floats]:
    """One point for equal operators: their median."""
    by_place: dict[tuple[float, float, float], list[float]] = {}
    for one, value in zip(of, values, strict=True):
        by_place.setdefault(_place(one), []).append(float(value))
    chosen = list(by_place)
    if len(chosen) > _MOST_POINTS:
        picked = np.random.default_rng(0).choice(len(chosen), _MOST_POINTS, replace=False)
        chosen = [chosen[k] for k in sorted(picked)]
    return np.array(chosen), np.array([np.median(by_place[place]) for place in chosen])


def _kernel(a: Floats, b: Floats, reach: float) -> Floats:
    distance = ((a[:, None] - b[None]) ** 2).sum(-1)
    return np.asarray(np.exp(-distance / (2 * reach**2)))


def _kriging(places: Floats, residuals: Floats) -> tuple[float, Floats]:
    """Reach and strengths; reach and noise are those that foresee left-out points best."""
    best: tuple[float, float, Floats] | None = None
    for reach in _REACHES:
        kernel = _kernel(places, places, reach)
        for noise in _NOISES:
            inverse = np.linalg.inv(kernel + noise * np.eye(len(places)))
            strengths = inverse @ residuals
            # The error at each point had it been left out, in closed form.
            left_out = float(np.mean((strengths / np.diag(inverse)) ** 2))
            if best is None or left_out < best[0]:
                best = left_out, reach, strengths
    assert best is not None
    return best[1], best[2]
