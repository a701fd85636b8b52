"""The noise that an audit has measured, for the search that goes on with its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas.audit.noise import freedom, seed_noise_db
from nas.noise import Noise

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEAST_FREEDOM", "measured_noise"]

LEAST_FREEDOM = 5
"""Six networks in two seeds: a deviation that rests on less is off by more than a third."""


def measured_noise(trainings: pd.DataFrame, step: int, known: Noise) -> Noise | None:
    """What the audit's trainings say of the proxy's noise; nothing where they are too few.

    Args:
        trainings: columns ``hash``, ``seed``, ``step``, ``psnr_y_db``, ``ssim_y``.
        step: of the proxy's end.
        known: from which the noise of latency is taken over, which no training shows.
    """
    rows = trainings[trainings["step"] == step]
    found: dict[str, float] = {}
    for name in ("psnr_y_db", "ssim_y"):
        wide = rows.pivot(index="hash", columns="seed", values=name).to_numpy(dtype=np.float64)
        if freedom(wide) < LEAST_FREEDOM:
            return None
        found[name] = seed_noise_db(wide)
    source = f"this run's audit, {rows['hash'].nunique()} networks, {rows['seed'].nunique()} seeds"
    return Noise(found["psnr_y_db"], found["ssim_y"], known.latency, source)
