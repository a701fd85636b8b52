"""Which kinds of networks start fast and end slow, so that a short training flatters them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeadStart", "head_starts"]

_LEAST_NETWORKS = 4


@dataclass(frozen=True, slots=True)
class HeadStart:
    """By how much the proxy flatters the networks that share one setting.

    Attributes:
        setting: such as ``"family = fdc"``.
        networks: how many have it.
        flattered_db: its lead at the proxy's end less its lead after long training, over the
            other networks of the same price band, mean; negative: it starts slowly.
        error_db: standard error of that mean.
    """

    setting: str
    networks: int
    flattered_db: float
    error_db: float

    @property
    def certain(self) -> bool:
        """Whether it is more than three standard errors: there are many settings to be wrong on."""
        return abs(self.flattered_db) > 3.0 * self.error_db


def head_starts(
    networks: pd.DataFrame, proxy_db: npt.ArrayLike, long_db: npt.ArrayLike, band: npt.ArrayLike
) -> tuple[HeadStart, ...]:
    """Every setting that 4 networks have and 4 lack, the most flattered first.

    Args:
        networks: a row a network; each value of a column with at most 12 different ones is a
            setting.
        proxy_db: (n,) PSNR-Y after the proxy, dB.
        long_db: (n,) PSNR-Y after long training, dB.
        band: (n,) price band of each network.
    """
    short, long = np.asarray(proxy_db, dtype=np.float64), np.asarray(long_db, dtype=np.float64)
    labels = np.asarray(band)
    gap = short - long
    for label in np.unique(labels):
        gap[labels == label] -= np.nanmean(gap[labels == label])
    found = []
    for name in networks.columns:
        words = np.array([str(value) for value in networks[name]])
        if len(set(words)) > 12:
            continue
        for word in sorted(set(words)):
            ours = (words == word) & np.isfinite(gap)
            others = (words != word) & np.isfinite(gap)
            if min(ours.sum(), others.sum()) < _LEAST_NETWORKS:
                continue
            flattered = float(gap[ours].mean() - gap[others].mean())
            error = np.sqrt(
                gap[ours].var(ddof=1) / ours.sum() + gap[others].var(ddof=1) / others.sum()
            )
            found.append(HeadStart(f"{name} = {word}", int(ours.sum()), flattered, float(error)))
    return tuple(sorted(found, key=lambda one: -one.flattered_db))
