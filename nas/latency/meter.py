"""Every figure of a network that can be known before it is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache, partial
from math import inf
from typing import Any

from nas.budget import Budget
from nas.evaluate.memory import peak_memory_mb
from nas.latency.guess import LatencyGuess
from nas.latency.model import LatencyModel
from nas.latency.network_time import measure_latency
from nas.records import TrialRecord
from nas.training.state import seeded
from search_spaces import Architecture, build, folded, price
from search_spaces.cost import lr_size
from search_spaces.errors import NotPossible
from search_spaces.smallest import descend, smallest
from search_spaces.space import Space

__all__ = ["Figures", "Meter", "Prices"]

_REPEATS, _WARMUP = 7, 2

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

    def complete(self, record: TrialRecord, made_with: dict[str, Any]) -> TrialRecord:
        """The record with these figures."""
        figures = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "measured_with"}
        return replace(record, made_with=made_with, **figures)


class Meter:
    """Prices networks, measures them, and tells which ones stay within the budgets.

    Prices are those of the network in use, its re-parameterised convolutions folded. With a
    fitted latency model nothing is measured: latencies are what it says.
    """

    def __init__(
        self,
        budgets: Sequence[Budget],
        hr: tuple[int, int],
        latency_lr: tuple[int, int],
        device: str,
        latency_model: LatencyModel | None = None,
    ) -> None:
        self.budgets, self.hr, self.latency_lr, self.device = budgets, hr, latency_lr, device
        self.latency_model = latency_model
        self.latency_guess = LatencyGuess()
        self._memory_mb = lru_cache(maxsize=4096)(self._memory_of)

    def figure(self, arch: Architecture, name: str) -> float:
        """One figure of a network: exact, but for latency, which is predicted."""
        if name == "memory":
            return self._memory_mb(arch)
        if name == "latency":
            return self._prediction_ms(arch)
        return float(getattr(price(folded(arch), self.hr), name))

    def fits(self, arch: Architecture) -> bool:
        """Whether the network stays within every budget, by prediction where latency is one."""
        return all(self.figure(arch, budget.name) <= budget.limit for budget in self.budgets)

    def excess(self, arch: Architecture) -> dict[str, float]:
        """For each budget how far the network is over it: figure/limit - 1, at most 0 inside."""
        return {b.name: self.figure(arch, b.name) / b.limit - 1 for b in self.budgets}

    def prices(self, arch: Architecture) -> Figures:
        """What is known at once: the figures that need neither a network nor a clock."""
        priced = price(folded(arch), self.hr)
        return Figures(priced.params, priced.macs, priced.activations, None, None, None, {})

    def measure(self, arch: Architecture) -> Figures:
        """All figures, with the latency measured on this machine or by the fitted model."""
        if self.latency_model is not None:
            return self._foretold(arch, self.latency_model)
        in_use = folded(arch)
        priced = price(in_use, self.hr)
        latency = measure_latency(
            [seeded(lambda: build(in_use), 0)],
            lr_size=self.latency_lr,
            repeats=_REPEATS,
            warmup=_WARMUP,
            device=self.device,
            colors=arch.colors,
        )[0]
        self.latency_guess.learn(in_use, self.latency_lr, latency.latency_ms)
        measured_with = {
            "lr_size": list(latency.lr_size),
            "device": latency.device,
            "threads": latency.threads,
            "dtype": latency.dtype,
            "repeats": latency.repeats,
            "reference_ms": round(latency.reference_ms, 4),
        }
        return Figures(
            priced.params,
            priced.macs,
            priced.activations,
            round(self._memory_mb(arch), 3),
            round(latency.latency_ms, 4),
            round(latency.latency_min_ms, 4),
            measured_with,
        )

    def _calibrate(self, space: Space, scale: int) -> None:
        """Measures a spread of networks, so that latencies can be predicted."""
        for architecture in self.latency_guess.calibration(space, scale):
            self.measure(architecture)

    def check_possible(self, space: Space, scale: int) -> None:
        """Makes sure that a network of the space may fit each budget.

        A price's least is known for sure; memory and latency are no sums over a network's parts,
        so a budget goes only where several small networks take clearly more, latencies measured.

        Raises:
            NotPossible: none can fit one of them.
        """
        if any(budget.name == "latency" for budget in self.budgets) and self.latency_model is None:
            self._calibrate(space, scale)
        for budget in self.budgets:
            least = inf
            for small in self._small(budget, space, scale):
                least = min(least, self._known(small, budget.name))
                if least <= budget.limit:
                    break
            if least * (1.0 if budget.name in _PRICES else _UNSURE) > budget.limit:
                raise NotPossible(
                    f"budget {budget.text}: no network of space {space.name!r} at x{scale} fits; "
                    f"the smallest one takes {_readable(budget.name, least)}: "
                    f"raise the budget or choose another space"
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

    def _prediction_ms(self, arch: Architecture) -> float:
        if self.latency_model is not None:
            return self.latency_model.predict_ms(folded(arch))
        return self.latency_guess.predict_ms(folded(arch), self.latency_lr)

    def _foretold(self, arch: Architecture, model: LatencyModel) -> Figures:
        priced = price(folded(arch), self.hr)
        return Figures(
            priced.params,
            priced.macs,
            priced.activations,
            round(self._memory_mb(arch), 3),
            round(self._prediction_ms(arch), 4),
            None,
            {
                "predicted_by": model.hash,
                **model.device.to_dict(),
                "device": f"{model.device.name} by a fitted model",
            },
        )

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
    if name == "memory":
        return f"{value:.1f} MB"
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if value >= factor:
            return f"{value / factor:.4g}{unit} {name}"
    return f"{value:.0f} {name}"
