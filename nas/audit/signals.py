"""What can be held against long trainings: rungs, and what is drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.extrapolate import log_linear, power_law, shrunk
from nas.audit.noise import seed_noise_db
from nas.predictor import design, predicted
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["complete", "drawn_on", "expected_db", "rungs_before", "values_at"]

Values = npt.NDArray[np.float64]


def complete(
    curves: pd.DataFrame, networks: pd.DataFrame, proxy_step: int, long_step: int
) -> tuple[list[str], list[int]]:
    """The networks with a long training in every seed that has any, cheapest first; the seeds."""
    ends = curves[curves["step"] == long_step]
    counts = ends.groupby("seed")["hash"].nunique()
    seeds = sorted(int(seed) for seed in counts.index[counts >= 3])
    whole: set[str] = set(networks["hash"])
    for seed in seeds:
        for step in (proxy_step, long_step):
            rows = curves[(curves["step"] == step) & (curves["seed"] == seed)]
            whole &= set(rows["hash"])
    order = networks.drop_duplicates("hash").sort_values(["params", "hash"])["hash"]
    hashes = [str(name) for name in order if name in whole]
    if not seeds or len(hashes) < 3:
        raise InputError(
            f"a ranking needs at least 3 networks trained for {proxy_step} and for {long_step} "
            f"steps: got {len(hashes) if seeds else 0}"
        )
    return hashes, seeds


def rungs_before(curves: pd.DataFrame, long_step: int) -> list[int]:
    """The steps before the long training's end, rising."""
    return sorted({int(step) for step in curves["step"] if step < long_step})


def values_at(
    psnr: pd.Series[float], step: int, seeds: Sequence[int], hashes: Sequence[str]
) -> Values | None:
    """(n, seeds) at a step; nothing where one was not measured there."""
    import pandas as pd

    index = pd.MultiIndex.from_product([[step], seeds, hashes])
    if not index.isin(psnr.index).all():
        return None
    values: Values = np.array(psnr.loc[index], dtype=np.float64)
    return values.reshape(len(seeds), len(hashes)).T


def expected_db(psnr: pd.Series[float], networks: pd.DataFrame, step: int) -> pd.Series[float]:
    """What all other networks let one expect of each one after the proxy."""
    import pandas as pd

    known = networks.drop_duplicates("hash").set_index("hash")
    at_step = psnr[psnr.index.get_level_values("step") == step]
    means = at_step.groupby(level="hash").mean()
    figures = means.reindex(known.index).to_numpy(dtype=np.float64)
    return pd.Series(predicted(design(known), figures), index=known.index)


def drawn_on(
    rungs: dict[int, Values], expected: Values, long_step: int
) -> list[tuple[str, Values]]:
    """What can be made of the proxy's rungs; a column a seed."""
    steps = list(rungs)
    per_seed = np.stack(list(rungs.values()), axis=2).transpose(1, 0, 2)
    found = []
    if len(steps) >= 2:
        found.append(("drawn on, last two", [log_linear(c, steps, long_step) for c in per_seed]))
    if len(steps) >= 3:
        found.append(("drawn on, power law", [power_law(c, steps, long_step) for c in per_seed]))
    last = per_seed[:, :, -1]
    noise = seed_noise_db(last.T)
    if np.isfinite(noise):
        found.append(("shrunk to its kind", [shrunk(one, expected, noise) for one in last]))
    return [(name, np.array(columns).T) for name, columns in found]
