"""Within a price band quality hardly differs, and cost does: what equal quality costs there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.noise import indistinct_db

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Band", "Saving", "cost_bands"]

_COSTS = ("params", "macs", "activations", "latency_ms")


@dataclass(frozen=True, slots=True)
class Saving:
    """The network that costs least among those as good as the best.

    Attributes:
        cost: the column that is saved on.
        hash: of the network.
        value: its cost.
        ratio: the best network's cost over it; 1 where the best one is the cheapest.
        below_db: how far it lies below the best, dB.
    """

    cost: str
    hash: str
    value: float
    ratio: float
    below_db: float


@dataclass(frozen=True, slots=True)
class Band:
    """Networks of like price.

    Attributes:
        low_params: of its smallest network.
        high_params: of its largest network.
        networks: how many.
        spread_db: standard deviation of their long trainings' PSNR-Y.
        best: hash of the best.
        best_db: its PSNR-Y after long training, mean over the seeds.
        margin_db: networks so far below the best may be as good; NaN if the noise is unknown.
        equals: how many networks lie within that, the best itself counted.
        savings: for each cost the cheapest of them.
    """

    low_params: int
    high_params: int
    networks: int
    spread_db: float
    best: str
    best_db: float
    margin_db: float
    equals: int
    savings: tuple[Saving, ...]


def cost_bands(
    networks: pd.DataFrame,
    long_db: npt.ArrayLike,
    band: npt.ArrayLike,
    noise_db: float,
    seeds: int,
) -> tuple[Band, ...]:
    """What equal quality costs in each band in which any network's training held.

    Args:
        networks: columns ``hash``, ``params`` and further costs.
        long_db: (n,) PSNR-Y after long training, mean over the seeds, dB; NaN: diverged.
        band: (n,) labels.
        noise_db: standard deviation between seeds after long training; NaN: unknown.
        seeds: how many are in the means.
    """
    quality, labels = np.asarray(long_db, dtype=np.float64), np.asarray(band)
    margin = indistinct_db(noise_db, seeds)
    found = []
    for label in np.unique(labels):
        rows = networks[(labels == label)].reset_index(drop=True)
        values = quality[labels == label]
        if not np.isfinite(values).any():
            continue
        best = int(np.nanargmax(values))
        equal = np.flatnonzero(values >= values[best] - (margin if np.isfinite(margin) else 0.0))
        savings = tuple(
            _saving(rows, name, best, equal, values)
            for name in _COSTS
            if name in rows and np.isfinite(rows[name].to_numpy(dtype=np.float64)).all()
        )
        found.append(
            Band(
                int(rows["params"].min()), int(rows["params"].max()), len(rows),
                float(np.nanstd(values)), str(rows["hash"][best]), float(values[best]),
                margin, len(equal), savings,
            )
        )  # fmt: skip
    return tuple(found)


def _saving(
    rows: pd.DataFrame,
    name: str,
    best: int,
    equal: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
) -> Saving:
    costs = rows[name].to_numpy(dtype=np.float64)
    cheapest = int(equal[np.argmin(costs[equal])])
    return Saving(
        name,
        str(rows["hash"][cheapest]),
        float(costs[cheapest]),
        float(costs[best] / costs[cheapest]),
        float(values[best] - values[cheapest]),
    )
