"""Not a search but a bound: what a regression would choose that knows all other networks' figures.

Of each network it says what the ridge regression of ``nas.predictor`` makes of all the others, and
trains what adds most to the hypervolume by that. A search has to find out first what this one
knows, so none that goes by settings and prices alone can be expected to need fewer trainings.
"""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks.replay.history import Finish
from benchmarks.table.contents import RECIPE
from benchmarks.table.table import Table, with_settings
from nas.pareto import hypervolume
from nas.predictor import design, predicted

__all__ = ["replay"]

_CHANCES = [statistics.NormalDist().inv_cdf((k + 0.5) / 8) for k in range(8)]


def replay(table: Table, cost: str, trials: int) -> list[Finish]:
    """So many networks, each trained to the end."""
    frame = table.final.dropna(subset=["psnr_y_db"]).reset_index(drop=True)
    psnr = frame["psnr_y_db"].to_numpy(dtype=np.float64)
    price = np.log(frame[cost].to_numpy(dtype=np.float64))
    features = design(with_settings(frame).drop(columns="hash"))
    # The square lets quality level off with size.
    square = (((price - price.mean()) / price.std()) ** 2)[:, None]
    guessed = predicted(np.hstack([features, square]), psnr)
    error_db = float((guessed - psnr).std())
    dear = (price - price.min()) / np.ptp(price)
    true = np.column_stack([(psnr.max() - psnr) / np.ptp(psnr), dear])
    chosen: list[int] = []
    for _ in range(min(trials, len(frame))):
        front = true[chosen].reshape(-1, 2)
        before = hypervolume(front, (1.0, 1.0)) if chosen else 0.0
        gains = np.full(len(frame), -np.inf)
        for k in set(range(len(frame))) - set(chosen):
            lucky = guessed[k] + error_db * np.array(_CHANCES)
            some = np.column_stack([(psnr.max() - lucky) / np.ptp(psnr), np.full(8, dear[k])])
            gains[k] = np.mean(
                [hypervolume(np.vstack([front, one]), (1.0, 1.0)) - before for one in some]
            )
        chosen.append(int(np.argmax(gains)))
    return [
        Finish((k + 1) * RECIPE.steps, str(frame["hash"][index])) for k, index in enumerate(chosen)
    ]
