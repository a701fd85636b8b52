"""Which settings leave the plateau early without ending better, so that a short training flatters.

At first all networks learn the same linear sharpening, and then they part, some sooner than
others. Ranked before all have, they are ranked by how soon they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.ranking import Figure

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeadStart", "head_starts"]

_LEAST_NETWORKS, _MOST_VALUES = 4, 12
_CERTAIN = 3.0
"""Standard errors: there are many settings to be wrong on."""


@dataclass(frozen=True, slots=True)
class HeadStart:
    """How the networks that share one setting stand at the proxy's end and in the end.

    Attributes:
        setting: such as ``"family = fdc"``.
        networks: how many have it.
        early_db: their mean lead at equal price over all networks at the proxy's end, dB.
        early_error_db: its standard error.
        late_db: the same after the long training.
        late_error_db: its standard error.
        flattered_db: the early lead less the late one; negative: they start slowly.
        error_db: its standard error.
    """

    setting: str
    networks: int
    early_db: Figure
    early_error_db: Figure
    late_db: Figure
    late_error_db: Figure
    flattered_db: Figure
    error_db: Figure

    @property
    def certain(self) -> bool:
        """Whether the lead changes by more than three standard errors."""
        return abs(self.flattered_db) > _CERTAIN * self.error_db


def head_starts(
    networks: pd.DataFrame, early_db: npt.ArrayLike, late_db: npt.ArrayLike
) -> tuple[HeadStart, ...]:
    """Every setting that 4 networks have and 4 lack, the most flattered first.

    Args:
        networks: a row a network, settings only; each value of a column with at most 12
            different ones is a setting.
        early_db: (n,) what is left of PSNR-Y at equal price at the proxy's end, dB.
        late_db: (n,) the same after the long training.
    """
    early, late = np.asarray(early_db, dtype=np.float64), np.asarray(late_db, dtype=np.float64)
    known = np.isfinite(early) & np.isfinite(late)
    found = []
    for name in networks.columns:
        words = np.array([_word(value) for value in networks[name]])
        if len(set(words)) > _MOST_VALUES:
            continue
        for word in sorted(set(words)):
            ours, others = (words == word) & known, (words != word) & known
            if min(ours.sum(), others.sum()) < _LEAST_NETWORKS:
                continue
            leads = [_lead(values, ours) for values in (early, late, early - late)]
            figures = [figure for lead in leads for figure in lead]
            found.append(HeadStart(f"{name} = {word}", int(ours.sum()), *figures))
    return tuple(sorted(found, key=lambda one: -one.flattered_db))


def _lead(values: npt.NDArray[np.float64], ours: npt.NDArray[np.bool_]) -> tuple[float, float]:
    mine = values[ours]
    return float(mine.mean()), float(mine.std(ddof=1) / np.sqrt(len(mine)))


def _word(value: object) -> str:
    if value is None or value != value:
        return "left out"
    return f"{value:g}" if isinstance(value, float) else str(value)
