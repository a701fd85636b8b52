"""One signal held against the long trainings: overall, and at equal price."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nas.audit.noise import seed_noise_db
from nas.audit.price import residuals, slopes
from nas.audit.ranking import (
    Estimate,
    Figure,
    estimate,
    recall_count,
    replicates,
    tau_weights,
    top_recall,
)
from nas.audit.signals import LEAST_NETWORKS, Figures

__all__ = ["Comparison", "Signal"]

Values = npt.NDArray[np.float64]

_LEAST_CEILING = 0.05
"""A ceiling near or below 0 is no yardstick."""


@dataclass(frozen=True, slots=True)
class Signal:
    """How well one figure tells what the long training will say.

    Attributes:
        name: what it is, in words.
        kind: ``"rung"``, ``"extrapolated"``, ``"cheap"`` or ``"ceiling"``.
        step: training steps that it takes; 0 for what is known before training.
        tau: Kendall's tau with the long training of another seed, -1..1.
        tau_at_price: the same at equal price: between what the price leaves of both. NaN where
            the price leaves nothing, as of a price itself.
        of_ceiling: ``tau_at_price`` over the ceiling's.
        recall: share of the long training's best quarter at equal price that is in this
            figure's best quarter there, 0..1.
        spread_db: standard deviation over the networks at equal price, dB; NaN: not in dB.
        noise_db: standard deviation between seeds of one network, dB; NaN where there is none.
        crossed: whether it comes from other seeds than the trainings that it is held against.
    """

    name: str
    kind: str
    step: int
    tau: Estimate
    tau_at_price: Estimate
    of_ceiling: Estimate
    recall: Figure
    spread_db: Figure
    noise_db: Figure
    crossed: bool = True


class Comparison:
    """The long trainings, and how anything is compared with them.

    Args:
        long: PSNR-Y after the long training.
        terms: of the price, as from :func:`nas.audit.price.price_terms`.
        samples: of the bootstrap over networks.
    """

    def __init__(self, long: Figures, terms: Values, samples: int) -> None:
        self.long, self.terms = long, terms
        # The same samples for every signal, so that their ratios mean something. The first is
        # the networks as they are.
        self.weights = np.vstack([np.ones(len(terms)), replicates(len(terms), samples)])
        self._top: Values = np.full(len(self.weights), np.nan)

    def comparable(self, figures: Figures) -> bool:
        """Whether enough networks have the figure and a long training."""
        return bool(figures.crossed(self.long))

    def ceiling(self, name: str, step: int) -> Signal:
        """One long training against another; all of it unknown where there is one seed."""
        found = self.signal(name, "ceiling", step, self.long)
        if not found.crossed:
            nothing = Estimate(math.nan, math.nan, math.nan)
            return replace(
                found, tau=nothing, tau_at_price=nothing, recall=math.nan, noise_db=math.nan,
                crossed=True,
            )  # fmt: skip
        self._top = self._taus(self.long, at_price=True)
        return replace(found, of_ceiling=Estimate(1.0, math.nan, math.nan))

    def signal(self, name: str, kind: str, step: int, figures: Figures) -> Signal:
        """How well a figure tells of the long trainings; of those after the ceiling, its share."""
        pairs = figures.crossed(self.long)
        crossed = all(figures.seeds[s] != self.long.seeds[t] for s, t in pairs)
        taus, at_price = (self._taus(figures, at_price=at_price) for at_price in (False, True))
        ratio = math.nan, np.array([])
        # A part of what is known to be possible; without crossing there is no telling.
        if self._top[0] > _LEAST_CEILING:
            usable = np.where(self._top > _LEAST_CEILING, self._top, np.nan)
            ratio = float(at_price[0] / self._top[0]), at_price[1:] / usable[1:]
        in_db = figures.seeds != (None,)
        return Signal(
            name, kind, step, estimate(taus[0], taus[1:]), estimate(at_price[0], at_price[1:]),
            estimate(*ratio), self._recall(figures),
            self._spread(figures) if in_db else math.nan,
            seed_noise_db(figures.values) if in_db else math.nan,
            crossed,
        )  # fmt: skip

    def leads(self, figures: Figures) -> Values:
        """(n,) by how much each network is ahead of others of its price, mean over the seeds."""
        found: Values = residuals(figures.means, self.terms, self.weights[:1])[0]
        return found

    def _pairs(self, figures: Figures) -> Iterator[tuple[Values, Values, npt.NDArray[np.bool_]]]:
        """For each pair of seeds the figure, the long trainings' and which networks have both."""
        for s, t in figures.crossed(self.long):
            both = figures.there[:, s] & self.long.there[:, t]
            yield figures.values[:, s], self.long.values[:, t], both

    def _taus(self, figures: Figures, *, at_price: bool) -> Values:
        """(samples,) mean over the pairs of seeds, by their networks; NaN where none tells."""
        found, sizes = [], []
        for first, second, both in self._pairs(figures):
            weights = self.weights * both
            if at_price:
                # Without a fit every network would be the worst: equal, and so unordered.
                first = residuals(first, self.terms, weights)
                second = residuals(second, self.terms, weights)
            found.append(tau_weights(first, second, weights))
            sizes.append([both.sum()])
        taus = np.array(found)
        weights = np.array(sizes, dtype=np.float64) * np.isfinite(taus)
        with np.errstate(invalid="ignore"):
            mean: Values = np.nansum(taus * weights, axis=0) / weights.sum(axis=0)
        return mean

    def _recall(self, figures: Figures) -> float:
        found = []
        for *pair, both in self._pairs(figures):
            weights = self.weights[:1] * both
            first, second = (residuals(one, self.terms, weights)[0][both] for one in pair)
            if np.isfinite(first).any() and np.ptp(first[np.isfinite(first)]) > 0:
                found.append(top_recall(first, second, recall_count(int(both.sum()))))
        return float(np.mean(found)) if found else math.nan

    def _spread(self, figures: Figures) -> float:
        squares, left = 0.0, 0
        for s in range(len(figures.seeds)):
            rest = residuals(figures.values[:, s], self.terms, self.weights[:1])[0]
            known = int(np.isfinite(rest).sum())
            if known >= LEAST_NETWORKS:
                squares += float(np.nansum(rest**2))
                left += known - 1 - slopes(known, self.terms.shape[1])
        return math.sqrt(squares / left) if left > 0 else math.nan
