"""Every figure of a network that can be known before it is trained."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, partial
from math import inf
from typing import Any

from nas.budget import Budget
from nas.evaluate.memory import peak_memory_mb
from nas.evaluate.threads import usual_threads
from nas.latency.device import latency_place
from nas.latency.guess import LatencyGuess
from nas.latency.model import LatencyModel
from nas.latency.network_time import BUSY, measure_latency
from nas.objectives import OBJECTIVES
from nas.records import TrialRecord
from nas.training.state import seeded
from search_spaces import Architecture, Network, build, folded, price
from search_spaces.cost import lr_size
from search_spaces.errors import NotPossible
from search_spaces.smallest import descend, smallest
from search_spaces.space import Space

__all__ = ["Figures", "Meter", "Prices"]

_PRICES = ("params", "macs", "activations")

_UNSURE = 0.9
"""Of what the smallest networks known take in memory or time, others may take so much less."""


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
    own: Mapping[str, float] = field(default_factory=dict)

    def complete(self, record: TrialRecord, made_with: dict[str, Any]) -> TrialRecord:
        """The record with these figures."""
        figures = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "measured_with"}
        figures["own"] = {**record.own, **self.own}
        return replace(record, made_with=made_with, **figures)


class Meter:
    """Prices networks, measures them, and tells which ones stay within the budgets.

    Prices are those of the network in use, its re-parameterised convolutions folded. With a
    fitted latency model nothing is measured: latencies are what it says. ``threads`` are CPU
    threads to measure with; None is torch's number. ``note`` is a line for the user, where the
    machine was busy while budgets were checked.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        hr: tuple[int, int],
        latency_lr: tuple[int, int],
        device: str,
        latency_model: LatencyModel | None = None,
        threads: int | None = None,
    ) -> None:
        self.budgets, self.hr, self.latency_lr, self.device = budgets, hr, latency_lr, device
        self.latency_model, self.threads = latency_model, threads
        self.latency_guess = LatencyGuess()
        self.note = ""
        self._memory_mb = lru_cache(maxsize=4096)(self._memory_of)

    @property
    def latency_place(self) -> str:
        """What latencies are of, for people."""
        model = self.latency_model
        device = f"{model.device.name} by a fitted model" if model else self.device
        return latency_place(self.latency_lr, device, self.threads or usual_threads())

    def figure(self, arch: Architecture, name: str) -> float:
        """One figure of a network: exact, but for latency, which is predicted."""
        if name == "memory":
            return self._memory_mb(arch)
        if name == "latency":
            if self.latency_model is not None:
                return self.latency_model.predict_ms(folded(arch))
            return self.latency_guess.predict_ms(folded(arch), self.latency_lr)
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
        return Figures(*counts, None, None, None, {}, self._own(in_use))

    def measure(self, arch: Architecture) -> Figures:
        """All figures, with the latency measured on this machine or by the fitted model."""
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
            return Figures(*known, foretold_ms, None, told, self._own(arch))
        found = measure_latency(
            [network or seeded(lambda: build(arch), 0)], lr_size=self.latency_lr,
            device=self.device, threads=self.threads, colors=arch.colors,
        )[0]  # fmt: skip
        return Figures(
            *known, round(found.latency_ms, 4), round(found.latency_min_ms, 4),
            found.measured_with(), self._own(arch),
        )  # fmt: skip

    def check_possible(
        self, space: Space, scale: int, tell: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        """Makes sure that a network of the space may fit each budget.

        A price's least is known for sure; memory and latency are no sums over a network's parts,
        so a budget goes only where several small networks take clearly more, latencies measured.
        Where latency is a budget, a spread of networks is measured first, by which it is predicted:
        ``tell`` is called with how many of them are measured, and of how many.

        Raises:
            NotPossible: none can fit one of them.
        """
        if self.latency_model is None and any(one.name == "latency" for one in self.budgets):
            self._calibrate(list(self.latency_guess.calibration(space, scale)), tell)
        for budget in self.budgets:
            least = inf
            for small in self._small(budget, space, scale):
                least = min(least, self._known(small, budget.name))
                if least <= budget.limit:
                    break
            if least * (1.0 if budget.name in _PRICES else _UNSURE) > budget.limit:
                choice = " or ".join(self._spaces_within(budget, space, scale))
                raise NotPossible(
                    f"budget {budget.text}: no network of space {space.name!r} at x{scale} fits; "
                    f"the smallest one takes {_readable(budget.name, least)}: "
                    f"raise the budget{choice and f' or choose space {choice}, where some fit'}"
                )

    def _small(self, budget: Budget, space: Space, scale: int) -> Iterator[Architecture]:
        """Networks that one would expect to fit a budget first, the quickly found ones first."""
        cost = partial(self.figure, name=budget.name)
        if budget.name in _PRICES:
            yield smallest(space, cost, scale, enough=budget.limit)
            return
        for name in _PRICES:
            yield smallest(space, partial(self.figure, name=name), scale)
        yield descend(space, cost, scale)

    def _known(self, arch: Architecture, name: str) -> float:
        """One figure of a network, measured where it is latency and there is no model of it."""
        if name == "latency" and self.latency_model is None:
            return self.measure(arch).latency_ms or inf
        return self.figure(arch, name)

    def _calibrate(self, spread: Sequence[Architecture], tell: Callable[[int, int], None]) -> None:
        times = []
        for done, architecture in enumerate(spread):
            tell(done, len(spread))
            figures = self.measure(architecture)
            times.append(figures.measured_with["median_ms"] / figures.latency_ms)
        tell(len(spread), len(spread))
        if (usual := statistics.median(times)) > BUSY:
            self.note = (
                f"others use this machine, so that networks take {usual:.1f} times as long; their "
                f"latencies are what they would take without"
            )

    def _spaces_within(self, budget: Budget, space: Space, scale: int) -> list[str]:
        """Other built-in spaces that have a network within a budget, where that is soon known."""
        if budget.name == "memory":
            return []
        cost = partial(self.figure, name=budget.name)
        others = [Space.load(name) for name in Space.names() if name != space.name]
        return [one.name for one in others if cost(descend(one, cost, scale)) <= budget.limit]

    def _own(self, arch: Architecture) -> dict[str, float]:
        """The prices of objectives of one's own."""
        priced = ((name, one.price) for name, one in OBJECTIVES.items())
        return {name: float(told(arch, self.hr)) for name, told in priced if told is not None}

    def _memory_of(self, arch: Architecture) -> float:
        return peak_memory_mb(folded(arch), lr_size(arch.scale, self.hr))


class Prices(Meter):
    """Prices alone: for searches that neither limit nor weigh latency, and train nothing."""

    def __init__(self, budgets: Sequence[Budget] = (), hr: tuple[int, int] = (720, 1280)) -> None:
        super().__init__(budgets, hr, (1, 1), "cpu")

    def measure(self, arch: Architecture) -> Figures:
        return self.prices(arch)


def _readable(name: str, value: float) -> str:
    if name == "latency":
        return f"about {value:.2g} ms"
    if "" not in OBJECTIVES[name].units:
        return OBJECTIVES[name].text(value)
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if value >= factor:
            return f"{value / factor:.4g}{unit} {name}"
    return f"{value:.0f} {name}"
