"""What equal quality costs: the cheapest of the networks that are as good as the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.noise import indistinct_db
from nas.audit.price import COSTS
from nas.audit.ranking import Figure

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Equals", "Saving", "equals"]


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
    value: Figure
    ratio: Figure
    below_db: Figure


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
    best_db: Figure
    margin_db: Figure
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
    hashes, best = [str(name) for name in networks["hash"]], int(np.nanargmax(values))
    equal = np.flatnonzero(values >= values[best] - margin)
    savings = []
    for name in (name for name in COSTS if name in networks):
        costs = networks[name].to_numpy(dtype=np.float64)
        if np.isfinite(costs).all():
            least = int(equal[np.argmin(costs[equal])])
            cost, below_db = float(costs[least]), float(values[best] - values[least])
            savings.append(Saving(name, hashes[least], cost, float(costs[best] / cost), below_db))
    return Equals(hashes[best], float(values[best]), margin, len(equal), tuple(savings))
