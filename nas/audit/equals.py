"""What equal quality costs: the cheapest of the networks that are as good as the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.noise import indistinct_db

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Equals", "Saving", "equals"]

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
class Equals:
    """The best network after long training, and those as good as far as can be told.

    Attributes:
        best: hash of the best.
        best_db: its PSNR-Y after long training, mean over the seeds.
        margin_db: networks so far below it may be as good.
        count: how many networks lie within that, the best itself counted.
        savings: for each cost the cheapest of them.
    """

    best: str
    best_db: float
    margin_db: float
    count: int
    savings: tuple[Saving, ...]


def equals(
    networks: pd.DataFrame, long_db: npt.ArrayLike, noise_db: float, seeds: float
) -> Equals | None:
    """What the best network's quality costs; nothing where no training held or noise is unknown.

    Args:
        networks: columns ``hash`` and costs.
        long_db: (n,) PSNR-Y after long training, mean over the seeds, dB; NaN: diverged.
        noise_db: standard deviation between seeds after long training; NaN: unknown.
        seeds: how many are in a mean, on average.
    """
    values, margin = np.asarray(long_db, dtype=np.float64), indistinct_db(noise_db, seeds)
    if not (np.isfinite(values).any() and np.isfinite(margin)):
        return None
    rows, best = networks.reset_index(drop=True), int(np.nanargmax(values))
    equal = np.flatnonzero(values >= values[best] - margin)
    savings = tuple(
        _saving(rows, name, best, equal, values)
        for name in _COSTS
        if name in rows and np.isfinite(rows[name].to_numpy(dtype=np.float64)).all()
    )
    return Equals(str(rows["hash"][best]), float(values[best]), margin, len(equal), savings)


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
