"""Networks that seeds alone may part, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nas.objectives import OBJECTIVES, Objective
from nas.records import TrialRecord
from reports.summary import RunSummary

__all__ = ["Alike", "alike", "apart", "between_runs"]

# Less is saved by chance where a price is measured.
_WORTH_A_WORD, _HALF = 0.9, 0.5
# The highest of some twenty networks is itself flattered by two deviations of one network's noise:
# one that is so many times the noise of a difference behind may be as good.
_FLATTERED = 2.5


class Alike(NamedTuple):
    """A network that is as good as the best, or nearly, beside the best.

    Attributes:
        best: the run's best.
        other: one that is cheaper; where the cheapest is preferred, also the highest PSNR-Y.
        ahead_db: by how much the other's PSNR-Y is above the best's; negative: below.
        margin_db: by how much seeds alone may part two networks.
        shares: (objective, the other's price over the best's) of each price worth a word.
    """

    best: TrialRecord
    other: TrialRecord
    ahead_db: float
    margin_db: float
    shares: tuple[tuple[Objective, float], ...]

    @property
    def within(self) -> bool:
        """Whether seeds alone may part the two."""
        return abs(self.ahead_db) <= self.margin_db

    def of_price(self) -> str:
        """``"25% of the parameters, 15% of the latency"`` or ``"4.0 times the parameters"``."""
        told = []
        for one, share in self.shares:
            times = f"{100 * share:.0f}% of" if share <= 1.0 else f"{share:.1f} times"
            told.append(f"{times} the {one.label.lower()}")
        return ", ".join(told) or "another price"

    def text(self) -> str:
        """The whole in words."""
        more = "more" if self.ahead_db >= 0 else "less"
        noise = _noise(self.margin_db)
        if not self.within:
            times = abs(self.ahead_db) / self.margin_db
            noise = f"{times:.1f} times the noise of seeds ({self.margin_db:.3f} dB)"
        return (
            f"trial {self.other.number} has {abs(self.ahead_db):.3f} dB {more}, {noise}, "
            f"with {self.of_price()}"
        )


def alike(records: Iterable[TrialRecord], summary: RunSummary) -> tuple[Alike, ...]:
    """What the noise of seeds leaves open of the choice; nothing where no price hangs on it.

    First those that seeds alone may part from the best: the cheapest by each price that the
    search limits or weighs, and the highest PSNR-Y where that is not the best. Then those that
    cost half of these or less and are behind by somewhat more, for the reader to judge.
    """
    every, choice = tuple(records), summary.choice
    best, top = choice.best(every), choice.highest(every)
    if choice.margin_db <= 0 or best is None or top is None:
        return ()
    prices = [OBJECTIVES[name] for name in choice.prices]
    found = {top.number: top}
    for price in prices:
        cheapest = choice.alike(every, price)[0]
        share = _share(cheapest, best, price)
        # What --prefer cheaper would take is told in any case.
        if price is choice.by or (share is not None and share <= _WORTH_A_WORD):
            found.setdefault(cheapest.number, cheapest)
        halves = [
            (float(record.psnr_y_db or 0.0), -record.number, record)
            for record in choice.alike(every, price, _FLATTERED)
            if (share := _share(record, cheapest, price)) is not None and share <= _HALF
        ]
        if halves:
            near = max(halves, key=lambda entry: entry[:2])[-1]
            found.setdefault(near.number, near)
    found.pop(best.number, None)
    others = [_beside(best, other, prices, choice.margin_db) for other in found.values()]
    return tuple(sorted(others, key=lambda one: not one.within))


def _beside(
    best: TrialRecord, other: TrialRecord, prices: Sequence[Objective], margin_db: float
) -> Alike:
    known = [(one, s) for one in prices if (s := _share(other, best, one)) is not None]
    cheaper = [(one, share) for one, share in known if share <= _WORTH_A_WORD]
    ahead = float(other.psnr_y_db or 0.0) - float(best.psnr_y_db or 0.0)
    return Alike(best, other, ahead, margin_db, tuple(cheaper or known[:1]))


def _share(record: TrialRecord, of: TrialRecord, price: Objective) -> float | None:
    mine, its = price.value(record), price.value(of)
    return None if mine is None or not its else mine / its


def apart(ahead_db: float, margin_db: float) -> str:
    """``", within the noise of seeds (0.057 dB)"`` where a difference is no more than that."""
    return f", {_noise(margin_db)}" if 0 < margin_db >= abs(ahead_db) else ""


def between_runs(named: Sequence[tuple[str, TrialRecord | None, RunSummary]]) -> str:
    """Which runs' best networks seeds alone may part from the best of all; ``""``: none.

    Args:
        named: each run's name, its best network and its summary.
    """
    known = [
        (name, float(record.psnr_y_db), summary.choice.margin_db)
        for name, record, summary in named
        if record is not None and record.psnr_y_db is not None
    ]
    if len(known) < 2:
        return ""
    first = max(known, key=lambda one: one[1])
    same = [
        name
        for name, psnr_y_db, margin_db in known
        if name != first[0] and first[1] - psnr_y_db <= max(margin_db, first[2])
    ]
    if not same:
        return ""
    return (
        f"The best of {first[0]} is ahead of that of {' and of '.join(same)} by no more than the "
        f"noise of seeds ({max(margin for *_, margin in known):.3f} dB)."
    )


def _noise(margin_db: float) -> str:
    return f"within the noise of seeds ({margin_db:.3f} dB)"
