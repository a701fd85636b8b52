"""Which of several candidates is trained: what the networks so far let one expect decides.

A ridge regression on prices and settings (``nas.predictor``) says what each candidate would be
worth, and how far it errs on networks that it has not seen. The candidate that is expected to add
most to the hypervolume is trained. As long as the regression explains little of what it has not
seen, the sampler's first candidate is.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.evaluate.threads import threads
from nas.objectives import OBJECTIVES
from nas.pareto import hypervolume, non_dominated
from nas.predictor import described, design_of, predicted

__all__ = ["LATEST", "Known", "most_promising", "priced"]

_Points = npt.NDArray[np.float64]

_LEAST_KNOWN = 10
"""With fewer networks a regression says nothing."""

LATEST = 200
"""Of more networks than this it learns little more, and takes longer."""

_EXPLAINED = 0.25
"""The share of the variance of unseen networks that it must explain to be listened to."""

# What a figure may turn out to be, in units of the prediction's error: equally likely each.
_CHANCES = np.array([statistics.NormalDist().inv_cdf((k + 0.5) / 8) for k in range(8)])


_PRICES = ("params", "macs", "activations")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a network.

    Attributes:
        architecture: as its ``to_dict`` gives it.
        prices: parameters, multi-adds, activations.
        figures: its objectives by name, as far as they are known.
    """

    architecture: Mapping[str, Any]
    prices: Mapping[str, float]
    figures: Mapping[str, float]

    @classmethod
    def of(
        cls, architecture: Mapping[str, Any], priced: object, figures: Mapping[str, float]
    ) -> Known:
        """Reads the prices off a record or whatever else has them as attributes."""
        prices = {name: float(getattr(priced, name)) for name in _PRICES}
        return cls(architecture, prices, {**prices, **getattr(priced, "own", {}), **figures})


def priced(record: object) -> bool:
    """Whether all prices that are gone by are known of it."""
    return all(getattr(record, name) is not None for name in _PRICES)


def most_promising(
    candidates: Sequence[Known], past: Sequence[Known], objectives: Sequence[str]
) -> int:
    """The index of the candidate that is expected to add most to the hypervolume.

    Args:
        candidates: at least one, in the sampler's order.
        past: networks whose objectives are all known or estimated.
        objectives: their names.
    """
    past = past[-LATEST:]
    if len(candidates) == 1 or len(past) < _LEAST_KNOWN:
        return 0
    points, error_db = _points([*past, *candidates], objectives, len(past))
    if error_db is None:
        return 0
    low = points[: len(past)].min(axis=0)
    extent = np.ptp(points[: len(past)], axis=0)
    scale = np.where(extent > 0, extent, 1.0)
    # A hypervolume is a product: over their extents no objective counts for more by its unit.
    points = (points - low) / scale
    front = points[: len(past)]
    # The others add nothing to the volume and would only make it slow to compute.
    front = front[non_dominated(front)]
    # Beyond the worst, so that the front's ends count as well.
    corner = [1.1] * len(objectives)
    quality = list(objectives).index("psnr")
    # Prices are exact: what may turn out better or worse is PSNR.
    chances = _CHANCES * error_db / scale[quality]
    gains = []
    for point in points[len(past) :]:
        lucky = np.tile(point, (len(chances), 1))
        lucky[:, quality] += chances
        # The mean of the gains, not the gain of the mean: what may come out far better is worth
        # trying, though it will more likely add nothing.
        gains.append(float(np.mean([_added(one, front, corner) for one in lucky])))
    # The first one where all are equal: the sampler's.
    return int(np.argmax(gains))


def _added(point: _Points, front: _Points, corner: Sequence[float]) -> float:
    """The hypervolume that a point adds: what it dominates alone."""
    whole = float(np.prod(np.maximum(corner - point, 0.0)))
    # What the front dominates of that is what it would if it were nowhere better than the point.
    return whole - hypervolume(np.maximum(front, point), corner) if whole else 0.0


def _eigen(matrix: _Points) -> tuple[_Points, _Points]:
    """By torch, which can be told to do it in one thread.

    NumPy's threads wait for each other hundreds of times: 1 ms becomes up to a second where
    another process trains on the same cores.
    """
    import torch

    with threads(1):
        values, vectors = torch.linalg.eigh(torch.from_numpy(matrix))
    return values.numpy(), vectors.numpy()


def _points(
    networks: Sequence[Known], objectives: Sequence[str], past: int
) -> tuple[_Points, float | None]:
    """The objectives of all, less being better, unknown ones predicted; PSNR's error in dB.

    The error is ``None`` where the prediction of PSNR is not worth listening to.
    """
    features = design_of([{**described(one.architecture), **one.prices} for one in networks])
    columns, error_db = [], None
    for name in objectives:
        values = np.array([one.figures.get(name, np.nan) for one in networks])
        if OBJECTIVES[name].by_ratio:
            # Else a single one far off would make all the others alike.
            values = np.log(np.maximum(values, np.finfo(np.float64).tiny))
        if np.isnan(values).any():
            guessed = predicted(features, values, _eigen)
            if name == "psnr":
                # Of a known network the guess is what the others say: the error on unseen ones.
                errors = guessed[:past] - values[:past]
                explained = 1.0 - float((errors**2).mean()) / max(float(values[:past].var()), 1e-12)
                error_db = float(errors.std()) if explained >= _EXPLAINED else None
            values = np.where(np.isnan(values), guessed, values)
        columns.append(-values if OBJECTIVES[name].maximize else values)
    return np.column_stack(columns), error_db
