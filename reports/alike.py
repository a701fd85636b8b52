"""Networks that seeds alone may part, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nas.choice import CHEAPER
from nas.records import TrialRecord
from reports.summary import RunSummary

__all__ = ["Alike", "alike", "apart", "between_runs"]


class Alike(NamedTuple):
    """The network that would be the best by the other preference, beside the one that is.

    Attributes:
        best: the one that is.
        other: where the highest PSNR-Y is preferred, the cheapest that is like it; where the
            cheapest is, the highest.
        ahead_db: by how much the other's PSNR-Y is above the best's; negative: below.
        share: the other's price over the best's; None: unknown.
        networks: how many are alike, both of them counted.
    """

    best: TrialRecord
    other: TrialRecord
    ahead_db: float
    share: float | None
    networks: int

    def of_price(self, summary: RunSummary) -> str:
        """``"25% of the parameters"`` or ``"4.0 times the parameters"``."""
        label = summary.choice.by.label.lower()
        if self.share is None:
            return f"unknown {label}"
        if self.share <= 1.0:
            return f"{100 * self.share:.0f}% of the {label}"
        return f"{self.share:.1f} times the {label}"

    def text(self, summary: RunSummary) -> str:
        """The whole in words."""
        more = "more" if self.ahead_db >= 0 else "less"
        told = (
            f"trial {self.other.number} has {abs(self.ahead_db):.3f} dB {more}, "
            f"{_noise(summary.choice.margin_db)}, with {self.of_price(summary)}"
        )
        if self.networks > 2:
            told += f"; {self.networks} networks in all are alike"
        if summary.choice.prefer != CHEAPER:
            told += "; --prefer cheaper takes the cheapest"
        return told


def alike(records: Iterable[TrialRecord], summary: RunSummary) -> Alike | None:
    """What the noise of seeds leaves open of the choice; nothing where no price hangs on it."""
    every, choice = tuple(records), summary.choice
    if choice.margin_db <= 0:
        return None
    top, same = choice.highest(every), choice.alike(every)
    if top is None or not same or same[0].number == top.number:
        return None
    best, other = (same[0], top) if choice.prefer == CHEAPER else (top, same[0])
    prices = choice.by.value(best), choice.by.value(other)
    share = None if prices[0] is None or prices[1] is None else prices[1] / prices[0]
    ahead = float(other.psnr_y_db or 0.0) - float(best.psnr_y_db or 0.0)
    return Alike(best, other, ahead, share, len(same))


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
