"""What stopping early saved: the steps that were trained, against training every network whole.

:func:`savings_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from nas.records import FAILED, FINISHED, STOPPED, TrialRecord
from reports.plots.progress import trained_steps
from search_spaces.errors import NothingToDraw

__all__ = ["SavingsInfo", "Share", "savings_info"]


class Share(NamedTuple):
    """A part of all steps: what it was spent on, by how many networks, and how much it is."""

    label: str
    networks: int
    steps: int
    spent: bool


class SavingsInfo(NamedTuple):
    """All that the figure says; the shares' steps sum up to training every network whole.

    ``rungs`` is (step, networks stopped there) in order of steps.
    """

    title: str
    subtitle: str
    shares: tuple[Share, ...]
    full_steps: int
    rungs: tuple[tuple[int, int], ...]

    @property
    def saved_share(self) -> float:
        """Share of the steps that were not trained, 0..1."""
        whole = sum(share.steps for share in self.shares)
        return sum(s.steps for s in self.shares if not s.spent) / whole if whole else 0.0


def savings_info(records: Iterable[TrialRecord], full_steps: int | None) -> SavingsInfo:
    """What the figure of a run says.

    Args:
        records: trials of any state.
        full_steps: optimiser steps of a training that is not stopped; None takes the longest.

    Raises:
        NothingToDraw: no trial was stopped early.
    """
    every = tuple(records)
    by_state = {s: [r for r in every if r.state == s] for s in (FINISHED, STOPPED, FAILED)}
    if not by_state[STOPPED]:
        raise NothingToDraw("nothing was stopped early: there is no saving to draw")
    longest = max(trained_steps(r) for group in by_state.values() for r in group)
    full = max(full_steps or 0, longest)
    spent = {s: sum(trained_steps(r) for r in group) for s, group in by_state.items()}
    early = by_state[STOPPED]
    saved = full * len(early) - spent[STOPPED]
    shares = [
        Share("trained to the end", len(by_state[FINISHED]), spent[FINISHED], True),
        Share("stopped early", len(early), spent[STOPPED], True),
        Share("failed", len(by_state[FAILED]), spent[FAILED], True),
        Share("saved by stopping", len(early), saved, False),
    ]
    info = SavingsInfo(
        "What stopping early saved",
        "",
        tuple(share for share in shares if share.steps),
        full,
        tuple(sorted(Counter(trained_steps(r) for r in early).items())),
    )
    total = sum(share.steps for share in info.shares if share.spent)
    return info._replace(
        subtitle=f"{total:,} steps trained instead of {total + saved:,}: "
        f"{100 * info.saved_share:.0f}% saved; {len(early)} networks stopped early"
    )
