"""The verdict on a proxy: every rung, extrapolation and cheap signal against long trainings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.equals import Band, cost_bands
from nas.audit.noise import seed_noise_db
from nas.audit.ranking import (
    Estimate,
    bands,
    estimate,
    recall_count,
    replicates,
    tau_weights,
    top_recall,
)
from nas.audit.signals import complete, drawn_on, expected_db, rungs_before, values_at
from nas.predictor import ZERO_COST

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Signal", "Trust", "trust"]

Values = npt.NDArray[np.float64]
_CHEAP = ("params", "macs", "activations", *ZERO_COST)


@dataclass(frozen=True, slots=True)
class Signal:
    """How well one figure tells what the long training will say.

    Attributes:
        name: what it is, in words.
        kind: ``"rung"``, ``"extrapolated"``, ``"cheap"`` or ``"ceiling"``.
        step: training steps that it takes; 0 for what is known before training.
        tau: Kendall's tau with the long training of another seed, -1..1.
        tau_in_bands: the same over pairs within a price band.
        ratio: ``tau`` over the ceiling's.
        ratio_in_bands: ``tau_in_bands`` over the ceiling's.
        recall: share of the long training's best quarter in this figure's best quarter, 0..1.
        recall_in_bands: the same within bands, their mean.
        noise_db: standard deviation between seeds, dB; NaN where there is none.
    """

    name: str
    kind: str
    step: int
    tau: Estimate
    tau_in_bands: Estimate
    ratio: Estimate
    ratio_in_bands: Estimate
    recall: float
    recall_in_bands: float
    noise_db: float


@dataclass(frozen=True, slots=True)
class Trust:
    """What long trainings say of the proxy.

    Attributes:
        hashes: the networks with all long trainings, cheapest first.
        seeds: of the long trainings; with one there is no ceiling and no noise.
        proxy_step: steps of the proxy.
        long_step: steps of the long training.
        band: each network's price band, 0 the cheapest.
        long_db: each network's mean PSNR-Y over the seeds of its long trainings; NaN: diverged.
        rung_db: step -> each network's PSNR-Y in the first seed.
        signals: rungs by their steps, then what is drawn from them, then cheap signals.
        ceiling: a long training against another that differs in the seed only.
        bands: what equal quality costs in each price band.
        repeat_db: the largest difference between a proxy's value and its repetition, if any.
    """

    hashes: tuple[str, ...]
    seeds: tuple[int, ...]
    proxy_step: int
    long_step: int
    band: tuple[int, ...]
    long_db: tuple[float, ...]
    rung_db: dict[int, tuple[float, ...]]
    signals: tuple[Signal, ...]
    ceiling: Signal
    bands: tuple[Band, ...]
    repeat_db: float = float("nan")

    @property
    def proxy(self) -> Signal:
        """The proxy's end."""
        return next(s for s in self.signals if s.kind == "rung" and s.step == self.proxy_step)

    @property
    def noise_db(self) -> float:
        """Standard deviation between seeds after the long training, dB."""
        return self.ceiling.noise_db


def trust(
    curves: pd.DataFrame,
    networks: pd.DataFrame,
    *,
    proxy_step: int,
    long_step: int,
    band_count: int = 2,
    samples: int = 1000,
) -> Trust:
    """Holds every signal against the long trainings.

    A rung of one seed is compared with the long training of another, and the ceiling is the
    same comparison at the long training's own end: what they share beside the network is
    then nothing. With a single seed the same training is compared with itself.

    Args:
        curves: columns ``hash``, ``seed``, ``step``, ``psnr_y_db`` (NaN: diverged); of any
            networks, of which those with a long training in every seed are compared. The
            others teach what to expect of a network.
        networks: columns ``hash``, ``params``, ``macs``, perhaps zero-cost scores, and any
            others, which are taken as features.
        proxy_step: at which the search judges.
        long_step: at which the truth is told.
        band_count: price bands of equally many networks.
        samples: of the bootstrap over networks.

    Raises:
        InputError: fewer than three networks with a long training and a proxy's value.
    """
    table = curves.drop_duplicates(["hash", "seed", "step"]).set_index(["step", "seed", "hash"])
    psnr = table["psnr_y_db"].sort_index()
    hashes, seeds = complete(curves, networks, proxy_step, long_step)
    known = networks.drop_duplicates("hash").set_index("hash").loc[hashes]
    long = values_at(psnr, long_step, seeds, hashes)
    assert long is not None
    at = _Comparison(
        long,
        bands(known["params"].to_numpy(), min(band_count, len(hashes))),
        samples,
    )
    ceiling = at.signal("long, another seed", "ceiling", long_step, at.long)
    rungs = {s: m for s in rungs_before(curves, long_step)
             if (m := values_at(psnr, s, seeds, hashes)) is not None}  # fmt: skip
    signals = [
        at.signal("proxy" if s == proxy_step else "rung", "rung", s, m, ceiling)
        for s, m in rungs.items()
    ]
    expected = np.array(expected_db(psnr, networks, proxy_step).loc[hashes], dtype=np.float64)
    own = {step: values for step, values in rungs.items() if step <= proxy_step}
    for name, values in drawn_on(own, expected, long_step):
        signals.append(at.signal(name, "extrapolated", proxy_step, values, ceiling))
    for name in _CHEAP:
        if name in known:
            values = np.array(known[name], dtype=np.float64)
            if np.isfinite(values).all():
                signals.append(at.signal(name, "cheap", 0, values, ceiling))
    signals.append(at.signal("told from settings", "cheap", 0, expected, ceiling))
    mean_db = at.long.mean(axis=1)
    return Trust(
        tuple(hashes), tuple(seeds), proxy_step, long_step, tuple(at.band.tolist()),
        tuple(mean_db.tolist()),
        {step: tuple(values[:, 0].tolist()) for step, values in rungs.items()},
        tuple(signals), ceiling,
        cost_bands(known.reset_index(), mean_db, at.band, ceiling.noise_db, len(seeds)),
    )  # fmt: skip


class _Comparison:
    """The long trainings, and how anything is compared with them."""

    def __init__(self, long: Values, band: npt.NDArray[np.int64], samples: int) -> None:
        self.long, self.band = long, band
        self.one = np.ones((1, len(band)))
        # All of a band's networks are drawn from that band, so that both columns of taus
        # come from the same samples.
        self.weights = replicates(band, samples)

    def signal(
        self, name: str, kind: str, step: int, values: Values, ceiling: Signal | None = None
    ) -> Signal:
        pairs = self._pairs(values)
        found = []
        for strata in (None, self.band):
            tau = self._taus(pairs, self.one, strata)[0]
            samples = self._taus(pairs, self.weights, strata)
            top = self._taus(self._pairs(self.long), self.one, strata)[0]
            tops = self._taus(self._pairs(self.long), self.weights, strata)
            # With one seed the long training would be held against itself.
            if self.long.shape[1] < 2:
                top, tops = np.nan, np.full(len(tops), np.nan)
            if ceiling is None:
                tau, samples = top, tops
            # A ceiling near or below 0 is no yardstick.
            usable = np.where(tops > 0.05, tops, np.nan)
            ratio = tau / top if top > 0.05 else np.nan
            found.append((estimate(tau, samples), estimate(ratio, samples / usable)))
        (tau_all, ratio_all), (tau_band, ratio_band) = found
        noise = seed_noise_db(values) if values.ndim == 2 else np.nan
        return Signal(
            name, kind, step, tau_all, tau_band, ratio_all, ratio_band,
            self._recall(pairs, np.zeros_like(self.band)), self._recall(pairs, self.band), noise,
        )  # fmt: skip

    def _pairs(self, values: Values) -> list[tuple[Values, Values]]:
        seeds = range(self.long.shape[1])
        if values.ndim == 1:
            return [(values, self.long[:, t]) for t in seeds]
        pairs = [(values[:, s], self.long[:, t]) for s, t in itertools.permutations(seeds, 2)]
        return pairs or [(values[:, 0], self.long[:, 0])]

    @staticmethod
    def _taus(
        pairs: Sequence[tuple[Values, Values]], weights: Values, strata: npt.ArrayLike | None
    ) -> Values:
        mean: Values = np.mean([tau_weights(a, b, weights, strata) for a, b in pairs], axis=0)
        return mean

    @staticmethod
    def _recall(pairs: Sequence[tuple[Values, Values]], band: npt.NDArray[np.int64]) -> float:
        found = []
        for label in np.unique(band):
            inside = band == label
            count = recall_count(int(inside.sum()))
            found += [top_recall(a[inside], b[inside], count) for a, b in pairs]
        return float(np.mean(found))
