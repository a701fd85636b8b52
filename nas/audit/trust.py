"""The verdict on a proxy: every rung, extrapolation and cheap signal against long trainings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nas.audit.compare import Comparison, Signal
from nas.audit.equals import Equals, equals
from nas.audit.families import HeadStart, head_starts
from nas.audit.plateau import Plateau, plateau
from nas.audit.price import COSTS, price_terms
from nas.audit.ranking import Figure
from nas.audit.signals import Figures, compared, drawn_on, expected_db, figures_at
from nas.predictor import ZERO_COST

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Signal", "Trust", "trust"]

_CHEAP = ("params", "macs", "activations", *ZERO_COST)


@dataclass(frozen=True, slots=True)
class Trust:
    """What long trainings say of the proxy.

    Attributes:
        hashes: the networks with a long training, cheapest first.
        seeds: of the long trainings; with one there is no ceiling and no noise.
        prices: what is taken out where networks are compared at equal price.
        proxy_step: steps of the proxy.
        long_step: steps of the long training.
        long_db: each network's PSNR-Y after it, mean over the seeds; NaN: diverged.
        rung_leads: step -> each network's lead at equal price there, dB, mean over the seeds.
        long_leads: the same after the long training.
        signals: rungs by their steps, then what is drawn from them, then cheap signals.
        ceiling: a long training against another that differs in the seed only.
        plateau: from which step on the ranking tells of the long training.
        settings: which settings the proxy flatters, the most flattered first.
        equals: what the best network's quality costs, where that can be told.
        repeat_db: the largest difference between a proxy's value and its repetition, if any.
    """

    hashes: tuple[str, ...]
    seeds: tuple[int, ...]
    prices: tuple[str, ...]
    proxy_step: int
    long_step: int
    long_db: tuple[Figure, ...]
    rung_leads: dict[int, tuple[Figure, ...]]
    long_leads: tuple[Figure, ...]
    signals: tuple[Signal, ...]
    ceiling: Signal
    plateau: Plateau
    settings: tuple[HeadStart, ...]
    equals: Equals | None
    repeat_db: Figure = float("nan")

    @property
    def rungs(self) -> tuple[Signal, ...]:
        """The rungs before the long training's end, by their steps."""
        return tuple(signal for signal in self.signals if signal.kind == "rung")

    @property
    def proxy(self) -> Signal:
        """The proxy's end."""
        return next(signal for signal in self.rungs if signal.step == self.proxy_step)

    @property
    def noise_db(self) -> float:
        """Standard deviation between seeds of one network after the long training, dB."""
        return self.ceiling.noise_db


def trust(
    curves: pd.DataFrame,
    networks: pd.DataFrame,
    *,
    proxy_step: int,
    long_step: int,
    prices: Sequence[str] = ("params",),
    samples: int = 1000,
) -> Trust:
    """Holds every signal against the long trainings.

    A rung of one seed is compared with the long training of another, and the ceiling is the
    same comparison at the long training's own end: what they share beside the network is
    then nothing. With a single seed the same training is compared with itself.

    Args:
        curves: columns ``hash``, ``seed``, ``step``, ``psnr_y_db`` (NaN: diverged); of any
            networks, of which those with a long training in some seed are compared. The
            others teach what to expect of a network.
        networks: columns ``hash``, ``params``, ``macs``, perhaps zero-cost scores, and any
            others, which are taken as settings.
        proxy_step: at which the search judges.
        long_step: at which the truth is told.
        prices: columns of ``networks`` that are taken out, the most important first.
        samples: of the bootstrap over networks.

    Raises:
        InputError: fewer than three networks with a long training and a proxy's value.
    """
    hashes = compared(curves, networks, proxy_step, long_step)
    known = networks.drop_duplicates("hash").set_index("hash").loc[hashes]
    taken_out = _prices(known, prices)
    long = figures_at(curves, long_step, hashes)
    at = Comparison(long, price_terms(known, taken_out), samples)
    # First of all: what two long trainings of one network agree on is the most to be asked for.
    ceiling = at.ceiling("long, another seed", long_step)
    steps = sorted({int(step) for step in curves["step"] if step < long_step})
    # A rung that too few networks have come to says nothing of any.
    rungs = {s: found for s in steps if at.comparable(found := figures_at(curves, s, hashes))}
    signals = [
        at.signal("proxy" if s == proxy_step else "rung", "rung", s, figures)
        for s, figures in rungs.items()
    ]
    expected = np.array(expected_db(curves, networks, proxy_step).loc[hashes], dtype=np.float64)
    # No later rungs: a search would not have them where it judges.
    own = {step: figures for step, figures in rungs.items() if step <= proxy_step}
    for name, figures in drawn_on(own, expected, long_step):
        if at.comparable(figures):
            signals.append(at.signal(name, "extrapolated", proxy_step, figures))
    for name, values in _cheap(known):
        signals.append(at.signal(name, "cheap", 0, Figures.unseeded(values)))
    signals.append(at.signal("told from settings", "cheap", 0, Figures.unseeded(expected)))
    leads = {step: at.leads(figures) for step, figures in rungs.items()}
    long_leads, long_db = at.leads(long), long.means
    # A cost's lead is taken out with the price; what is left of it is no setting's merit.
    settings = known.drop(columns=[c for c in (*COSTS, *ZERO_COST) if c in known])
    # ``None`` stands where a figure has nothing to do with seeds.
    seeds = tuple(seed for seed in long.seeds if seed is not None)
    return Trust(
        tuple(hashes), seeds, taken_out, proxy_step, long_step, tuple(long_db.tolist()),
        {step: tuple(values.tolist()) for step, values in leads.items()},
        tuple(long_leads.tolist()), tuple(signals), ceiling,
        plateau([signal for signal in signals if signal.kind == "rung"], ceiling),
        head_starts(settings, leads[proxy_step], long_leads),
        equals(
            known.reset_index(), long_db, ceiling.noise_db, float(long.there.sum(axis=1).mean())
        ),
    )  # fmt: skip


def _prices(networks: pd.DataFrame, names: Iterable[str]) -> tuple[str, ...]:
    """Those that are known of all networks; parameters, where none of them is."""

    def usable(name: str) -> bool:
        if name not in networks:
            return False
        values = networks[name].to_numpy(dtype=np.float64)
        return bool(np.isfinite(values).all() and (values > 0).all())

    return tuple(name for name in names if usable(name)) or ("params",)


def _cheap(networks: pd.DataFrame) -> Iterable[tuple[str, npt.NDArray[np.float64]]]:
    """What is known before training, by its logarithm where it has one, as prices are."""
    for name in _CHEAP:
        if name in networks:
            values = np.array(networks[name], dtype=np.float64)
            if all(math.isfinite(value) for value in values):
                yield name, np.log(values) if (values > 0).all() else values
