"""Every figure of a network that can be known before it is trained."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from math import inf
from typing import Any

import numpy as np

from nas.budget import Budget
from nas.evaluate.memory import peak_memory_mb
from nas.evaluate.threads import usual_threads
from nas.latency.command.clock import DeviceClock
from nas.latency.device import latency_place
from nas.latency.esr_score import Baseline, baseline_network
from nas.latency.guess import LatencyGuess
from nas.latency.model import LatencyModel
from nas.latency.network_time import BUSY, LatencyResult, measure_latency
from nas.objectives import OBJECTIVES
from nas.records import TrialRecord
from nas.training.state import seeded
from search_spaces import Architecture, Network, build, folded, price
from search_spaces.cost import lr_size
from search_spaces.space import Space

__all__ = ["PRICES", "Figures", "Meter", "Prices"]

PRICES = ("params", "macs", "activations")
"""The figures that are sums over a network's parts, known at once."""

# A choice that so many draws miss changes nothing that counts: it is measured when it comes.
_DRAWS = 32

# Measurements by which a machine is called busy: one alone may have met with an accident.
_LATEST, _LEAST = 10, 3


@dataclass(frozen=True, slots=True)
class Figures:
    """A network's costs; the names and units are those of the trial's record."""

    params: int
    macs: int
    activations: int
    memory_mb: float | None
    latency_ms: float | None
    latency_min_ms: float | None
    measured_with: dict[str, Any]
    esr_score: float | None = None
    own: Mapping[str, float] = field(default_factory=dict)

    def complete(self, record: TrialRecord, made_with: dict[str, Any]) -> TrialRecord:
        """The record with these figures."""
        figures = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "measured_with"}
        figures["own"] = {**record.own, **self.own}
        return replace(record, made_with=made_with, **figures)


class Meter:
    """Prices networks, measures them, and tells which ones stay within the budgets.

    Prices are those of the network in use, its re-parameterised convolutions folded. With a
    fitted latency model nothing is measured: latencies are what it says. A ``clock`` is asked where
    they are not those of this machine. ``threads`` are CPU threads to measure with; None is torch's
    number. With ``scores`` networks get the challenge's
    score, too. ``calibration`` are the latencies, in ms, of the networks by which others are
    predicted, once these are measured; ``span_ms`` those of SPAN by its number of colours, by which
    all are scored, once it is measured or told.
    """

    measures = True

    def __init__(
        self,
        budgets: Sequence[Budget],
        hr: tuple[int, int],
        latency_lr: tuple[int, int],
        device: str,
        latency_model: LatencyModel | None = None,
        threads: int | None = None,
        *,
        scores: bool = False,
        clock: DeviceClock | None = None,
    ) -> None:
        self.budgets, self.hr, self.latency_lr, self.device = budgets, hr, latency_lr, device
        self.latency_model, self.threads, self.clock = latency_model, threads, clock
        self.latency_guess, self.scores = LatencyGuess(), scores
        self.calibration: tuple[float, ...] = ()
        self.span_ms: dict[int, float] = {}
        self.measures = self.measures and latency_model is None
        self._quiet_ms: dict[int, float] = {}
        self._slowed: deque[float] = deque(maxlen=_LATEST)
        self._told_busy = False
        self._memory_mb = lru_cache(maxsize=4096)(self._memory_of)

    @property
    def latency_place(self) -> str:
        """What latencies are of, for people."""
        if self.clock is not None:
            return latency_place(self.latency_lr, self.clock.setup.name, None)
        if (model := self.latency_model) is not None:
            device = model.device
            return latency_place(
                self.latency_lr, f"{device.name} by a fitted model", device.threads
            )
        return latency_place(self.latency_lr, self.device, self.threads or usual_threads())

    def figure(self, arch: Architecture, name: str) -> float:
        """One figure of a network: exact, but for what a clock says, which is predicted."""
        if name == "memory":
            return self._memory_mb(arch)
        if name == "latency":
            if self.latency_model is not None:
                return self.latency_model.predict_ms(folded(arch))
            return self.latency_guess.predict_ms(folded(arch), self.latency_lr)
        if name == "esr_score":
            return self._score(folded(arch), self.figure(arch, "latency"))
        told = OBJECTIVES[name].price
        if told is not None:
            return float(told(folded(arch), self.hr))
        return float(getattr(price(folded(arch), self.hr), name))

    def fits(self, arch: Architecture) -> bool:
        """Whether the network stays within every budget, by prediction where latency is one."""
        return all(self.figure(arch, budget.name) <= budget.limit for budget in self.budgets)

    def excess(self, arch: Architecture) -> dict[str, float]:
        """For each budget how far the network is over it: figure/limit - 1, at most 0 inside."""
        return {b.name: self.figure(arch, b.name) / b.limit - 1 for b in self.budgets}

    def prices(self, arch: Architecture) -> Figures:
        """What is known at once: the figures that need neither a network nor a clock."""
        in_use = folded(arch)
        priced = price(in_use, self.hr)
        counts = (priced.params, priced.macs, priced.activations)
        return Figures(*counts, None, None, None, {}, own=self._own(in_use))

    def measure(self, arch: Architecture) -> Figures:
        """All figures, with the latency measured or by the fitted model.

        Raises:
            NotPossible: the device behind a command cannot be asked for this network.
            InputError: it does not answer.
        """
        in_use = folded(arch)
        figures = self.cost(in_use)
        if self.latency_model is None and figures.latency_ms is not None:
            self.latency_guess.learn(in_use, self.latency_lr, figures.latency_ms)
        return figures

    def cost(self, arch: Architecture, network: Network | None = None) -> Figures:
        """All figures of a network as it is, not folded; one that is built already is measured."""
        priced = price(arch, self.hr)
        memory_mb = round(peak_memory_mb(arch, lr_size(arch.scale, self.hr)), 3)
        known = (priced.params, priced.macs, priced.activations, memory_mb)
        model = self.latency_model
        if model is not None:
            told = {"predicted_by": model.hash, **model.device.to_dict()}
            told["device"] = f"{model.device.name} by a fitted model"
            foretold_ms = round(model.predict_ms(arch), 4)
            return self._scored(arch, Figures(*known, foretold_ms, None, told, own=self._own(arch)))
        found = self._timed(arch, network)
        latency_ms, least_ms = round(found.latency_ms, 4), round(found.latency_min_ms, 4)
        told = found.measured_with()
        return self._scored(arch, Figures(*known, latency_ms, least_ms, told, own=self._own(arch)))

    def measure_baselines(self, space: Space, scale: int) -> None:
        """Measures what the space's networks are scored by, where they are, unless it is told."""
        rng = np.random.default_rng(0)
        for _ in range(_DRAWS if self.scores else 0):
            self._baseline(space.architecture(space.least(space.sample(rng)), scale))

    def take_over(self, calibration: Sequence[float], space: Space, scale: int) -> None:
        """Predicts by what another meter has measured of the same space."""
        self.calibration = tuple(calibration)
        spread = self.latency_guess.calibration(space, scale)
        for arch, latency_ms in zip(spread, calibration, strict=True):
            self.latency_guess.learn(folded(arch), self.latency_lr, latency_ms)

    def busy_news(self) -> float | None:
        """How many times longer than by themselves networks take, told once: on a busy machine."""
        if self._told_busy or len(self._slowed) < _LEAST:
            return None
        usual = statistics.median(self._slowed)
        self._told_busy = usual > BUSY
        return usual if self._told_busy else None

    def _timed(self, arch: Architecture, network: Network | None = None) -> LatencyResult:
        network = network or seeded(lambda: build(arch), 0)
        if self.clock is not None:
            return self.clock.measure(network)
        quiet_ms = self._quiet_ms.get(arch.colors)
        (found,) = measure_latency(
            [network], lr_size=self.latency_lr,
            device=self.device, threads=self.threads, colors=arch.colors, quiet_ms=quiet_ms,
        )  # fmt: skip
        self._quiet_ms[arch.colors] = min(quiet_ms or inf, found.reference_ms)
        self._slowed.append(found.median_ms / found.latency_ms)
        return found

    def _baseline(self, arch: Architecture) -> Baseline:
        """SPAN for the outputs of a network."""
        span, model = baseline_network(arch.scale, arch.colors), self.latency_model
        if arch.colors not in self.span_ms:
            took_ms = model.predict_ms(span) if model else self._timed(span).latency_ms
            self.span_ms[arch.colors] = round(took_ms, 4)
        return Baseline(span, self.span_ms[arch.colors])

    def _score(self, arch: Architecture, latency_ms: float) -> float:
        return self._baseline(arch).score(arch, latency_ms).score

    def _scored(self, arch: Architecture, figures: Figures) -> Figures:
        if not self.scores or figures.latency_ms is None:
            return figures
        score = round(self._score(arch, figures.latency_ms), 4)
        told = {**figures.measured_with, "span_ms": self.span_ms[arch.colors]}
        return replace(figures, esr_score=score, measured_with=told)

    def _own(self, arch: Architecture) -> dict[str, float]:
        """The prices of objectives of one's own."""
        priced = ((name, one.price) for name, one in OBJECTIVES.items())
        return {name: float(told(arch, self.hr)) for name, told in priced if told is not None}

    def _memory_of(self, arch: Architecture) -> float:
        return peak_memory_mb(folded(arch), lr_size(arch.scale, self.hr))


class Prices(Meter):
    """Prices alone: for searches that neither limit nor weigh latency, and train nothing.

    Args:
        budgets: of the search, ``settings.budget``.
        hr: output height and width in pixels for multi-adds and activations, ``settings.hr``.
    """

    measures = False

    def __init__(self, budgets: Sequence[Budget] = (), hr: tuple[int, int] = (720, 1280)) -> None:
        super().__init__(budgets, hr, (1, 1), "cpu")

    def measure(self, arch: Architecture) -> Figures:
        return self.prices(arch)
