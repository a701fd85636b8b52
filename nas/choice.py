"""Which network is the best, where seeds alone may part the first from the next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nas.noise import of_difference
from nas.objectives import OBJECTIVES, Objective
from nas.pareto import best, front, within
from nas.records import FINISHED, TrialRecord
from search_spaces.errors import InputError

__all__ = ["BETTER", "CHEAPER", "PREFERENCES", "Choice", "check_preference"]

BETTER, CHEAPER = "better", "cheaper"
PREFERENCES = (BETTER, CHEAPER)


@dataclass(frozen=True, slots=True)
class Choice:
    """How a run's best network is chosen.

    Two networks are alike when their PSNR-Y differs by no more than the standard deviation of
    such a difference between seeds. To prefer the cheapest of those that are alike is the
    one-standard-error rule (Breiman et al., "Classification and regression trees", 1984).

    Attributes:
        budgets: record attribute -> the highest figure allowed; others are passed over.
        prices: names of the objectives by which a network may be cheaper; the first one is what
            ``"cheaper"`` means.
        prefer: ``"better"``: the highest PSNR-Y; ``"cheaper"``: the cheapest that is alike.
        noise_db: standard deviation of ONE network's PSNR-Y between seeds, dB.

    Raises:
        InputError: another preference.
    """

    budgets: Mapping[str, float] = field(default_factory=dict)
    prices: tuple[str, ...] = ("params",)
    prefer: str = BETTER
    noise_db: float = 0.0

    def __post_init__(self) -> None:
        check_preference(self.prefer)

    @classmethod
    def of(
        cls,
        objectives: Sequence[str],
        budgets: Mapping[str, float],
        prefer: str = BETTER,
        noise_db: float = 0.0,
    ) -> Choice:
        """Cheap by the first budget, then by the others, then by the objectives that are prices."""
        attributes = {one.attribute: one for one in OBJECTIVES.values()}
        prices = [attributes[name] for name in budgets if name in attributes]
        prices += [OBJECTIVES[name] for name in objectives]
        names = tuple(dict.fromkeys(one.name for one in prices if not one.maximize))
        return cls(dict(budgets), names or ("params",), prefer, noise_db)

    @property
    def by(self) -> Objective:
        """The objective by which the preferred network is cheap."""
        return OBJECTIVES[self.prices[0]]

    @property
    def margin_db(self) -> float:
        """Networks whose PSNR-Y differs by no more than this are alike."""
        return of_difference(self.noise_db)

    def best(self, records: Iterable[TrialRecord]) -> TrialRecord | None:
        """The finished trial within the budgets that is preferred, if any."""
        every = tuple(records)
        if self.prefer == CHEAPER:
            return next(iter(self.alike(every)), None)
        return self.highest(every)

    def highest(self, records: Iterable[TrialRecord]) -> TrialRecord | None:
        """The finished trial within the budgets with the highest PSNR-Y, if any."""
        return best(records, self.budgets)

    def alike(
        self, records: Iterable[TrialRecord], by: Objective | None = None, margins: float = 1.0
    ) -> tuple[TrialRecord, ...]:
        """The finished trials within the budgets that are like the highest, it among them.

        Cheapest first; among equal prices the higher PSNR-Y, then the earlier trial.

        Args:
            records: trials of any state.
            by: what is cheap; by default what the preferred one is cheap by.
            margins: how many times the margin a PSNR-Y may be below the highest.
        """
        price_of = self.by if by is None else by
        every = tuple(records)
        top = self.highest(every)
        if top is None or top.psnr_y_db is None:
            return ()
        edge, psnr = top.psnr_y_db - margins * self.margin_db, OBJECTIVES["psnr"]
        ranked = [
            (math.inf if (price := price_of.value(r)) is None else price, -quality, r.number, r)
            for r in within(every, self.budgets)
            if r.state == FINISHED and (quality := psnr.value(r)) is not None and quality >= edge
        ]
        return tuple(r for *_, r in sorted(ranked, key=lambda entry: entry[:3]))

    def kept(self, records: Iterable[TrialRecord]) -> tuple[TrialRecord, ...]:
        """The trials that are the best or may become so by another preference or noise.

        Whatever the noise, the cheapest of those alike is one to which no other is both better
        and cheaper; and one that is none of these now never will be.
        """
        every = tuple(records)
        fitting = within(every, self.budgets)
        found = [*front(fitting, (OBJECTIVES["psnr"], self.by)), self.best(every),
                 self.highest(every)]  # fmt: skip
        numbers = {record.number: record for record in found if record is not None}
        return tuple(numbers[number] for number in sorted(numbers))


def check_preference(prefer: str) -> str:
    """The preference again.

    Raises:
        InputError: another one.
    """
    if prefer not in PREFERENCES:
        raise InputError(f"prefer: expected {' or '.join(PREFERENCES)}, got {prefer!r}")
    return prefer
