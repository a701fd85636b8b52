"""What can be held against long trainings: rungs, and what is drawn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.extrapolate import log_linear, power_law, shrunk
from nas.audit.noise import seed_mean, seed_noise_db
from nas.predictor import design, predicted
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEAST_NETWORKS", "Figures", "compared", "drawn_on", "expected_db", "figures_at"]

Values = npt.NDArray[np.float64]

LEAST_NETWORKS = 3
"""Fewer networks have no ranking to speak of."""


@dataclass(frozen=True, eq=False)
class Figures:
    """A figure of each network in each seed.

    Attributes:
        values: (n, seeds); NaN: its training diverged, or was not done.
        there: (n, seeds) whether it was done.
        seeds: of the columns; ``None`` for a figure that has nothing to do with seeds.
    """

    values: Values
    there: npt.NDArray[np.bool_]
    seeds: tuple[int | None, ...]

    @classmethod
    def unseeded(cls, values: npt.ArrayLike) -> Figures:
        """A figure that is the same in every seed."""
        column = np.asarray(values, dtype=np.float64)[:, None]
        return cls(column, np.ones(column.shape, dtype=np.bool_), (None,))

    @property
    def means(self) -> Values:
        """(n,) over the seeds, each seed's luck left out; NaN: some training diverged."""
        diverged = (self.there & np.isnan(self.values)).any(axis=1)
        return np.where(diverged, np.nan, seed_mean(self.values))

    def crossed(self, other: Figures) -> list[tuple[int, int]]:
        """Pairs of our columns and theirs that share no seed, where enough networks have both.

        Where there are none, pairs of the same seed.
        """
        every = [
            (i, j)
            for i in range(len(self.seeds))
            for j in range(len(other.seeds))
            if (self.there[:, i] & other.there[:, j]).sum() >= LEAST_NETWORKS
        ]
        apart = [(i, j) for i, j in every if self.seeds[i] != other.seeds[j]]
        return apart or every


def compared(
    curves: pd.DataFrame, networks: pd.DataFrame, proxy_step: int, long_step: int
) -> list[str]:
    """The networks with a proxy's figure and a long training in some seed, cheapest first.

    Raises:
        InputError: fewer than three.
    """
    whole: set[str] = set(networks["hash"])
    for step in (proxy_step, long_step):
        whole &= set(curves.loc[curves["step"] == step, "hash"])
    order = networks.drop_duplicates("hash").sort_values(["params", "hash"])["hash"]
    hashes = [str(name) for name in order if name in whole]
    if len(hashes) < LEAST_NETWORKS:
        raise InputError(
            f"a ranking needs at least 3 networks trained for {proxy_step} and for {long_step} "
            f"steps: got {len(hashes)}"
        )
    return hashes


def figures_at(curves: pd.DataFrame, step: int, hashes: Sequence[str]) -> Figures:
    """The networks' PSNR-Y at a step in every seed that has enough of them, maybe in none."""
    rows = curves[(curves["step"] == step) & curves["hash"].isin(hashes)]
    rows = rows.drop_duplicates(["hash", "seed"])
    counts = rows.groupby("seed")["hash"].nunique()
    seeds = sorted(int(seed) for seed in counts.index[counts >= LEAST_NETWORKS])
    wide = rows.pivot(index="hash", columns="seed", values="psnr_y_db")
    marks = rows.assign(done=True).pivot(index="hash", columns="seed", values="done")
    values = wide.reindex(index=list(hashes), columns=seeds).to_numpy(dtype=np.float64)
    there = marks.reindex(index=list(hashes), columns=seeds).notna().to_numpy(dtype=np.bool_)
    return Figures(values, there, tuple(seeds))


def expected_db(curves: pd.DataFrame, networks: pd.DataFrame, step: int) -> pd.Series[float]:
    """What all other networks let one expect of each one after the proxy."""
    import pandas as pd

    known = networks.drop_duplicates("hash").set_index("hash")
    means = curves[curves["step"] == step].groupby("hash")["psnr_y_db"].mean()
    figures = means.reindex(known.index).to_numpy(dtype=np.float64)
    return pd.Series(predicted(design(known), figures), index=known.index)


def drawn_on(
    rungs: dict[int, Figures], expected: Values, long_step: int
) -> list[tuple[str, Figures]]:
    """What can be made of the proxy's rungs, in the seeds that have all of them."""
    steps, last = list(rungs), list(rungs.values())[-1]
    seeds = [seed for seed in last.seeds if all(seed in one.seeds for one in rungs.values())]
    if not seeds:
        return []
    columns = [[one.seeds.index(seed) for seed in seeds] for one in rungs.values()]
    picked = list(zip(rungs.values(), columns, strict=True))
    there = np.all([one.there[:, at] for one, at in picked], axis=0)
    per_seed = np.stack([one.values[:, at] for one, at in picked], axis=2).transpose(1, 0, 2)
    found = []
    if len(steps) >= 2:
        found.append(("drawn on, last two", [log_linear(c, steps, long_step) for c in per_seed]))
    if len(steps) >= 3:
        found.append(("drawn on, power law", [power_law(c, steps, long_step) for c in per_seed]))
    noise = seed_noise_db(last.values)
    if np.isfinite(noise):
        ends = per_seed[:, :, -1]
        found.append(("shrunk to its kind", [shrunk(one, expected, noise) for one in ends]))
    return [(name, Figures(np.array(made).T, there, tuple(seeds))) for name, made in found]
