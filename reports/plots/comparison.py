"""Several runs beside each other: their fronts in one plane a cost.

:func:`comparison_info` decides everything that the figure says; drawing it decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from nas.objectives import OBJECTIVES, Objective
from nas.pareto import front
from nas.records import FINISHED, TrialRecord
from reports.account import RunAccount
from reports.tables import source_name
from search_spaces.errors import NothingToDraw

__all__ = ["ComparedFront", "ComparisonInfo", "ComparisonPanel", "comparison_info"]

_COSTS = ("params", "macs", "latency", "esr_score")


class ComparedFront(NamedTuple):
    """One run's front in a panel, cheapest first: (trial, cost in the shown unit, PSNR-Y in dB).

    ``published`` are the published systems that the run trained, on the front or not, by name.
    """

    run: int
    name: str
    points: tuple[tuple[int, float, float], ...]
    wall: float | None
    published: Mapping[str, tuple[int, float, float]] = MappingProxyType({})


class ComparisonPanel(NamedTuple):
    """PSNR-Y against one cost, a front a run."""

    objective: Objective
    axis_label: str
    fronts: tuple[ComparedFront, ...]


class ComparisonInfo(NamedTuple):
    """All that the figure says; ``differences`` is what keeps the runs from comparing like."""

    title: str
    subtitle: str
    panels: tuple[ComparisonPanel, ...]
    differences: tuple[str, ...]


def comparison_info(accounts: Sequence[RunAccount]) -> ComparisonInfo:
    """What the figure of several runs says.

    Raises:
        NothingToDraw: no run has a finished trial.
    """
    panels = []
    for one in (OBJECTIVES[name] for name in _COSTS):
        fronts = tuple(drawn for i, a in enumerate(accounts) if (drawn := _front(i, a, one)).points)
        if fronts:
            panels.append(ComparisonPanel(one, one.heading, fronts))
    if not panels:
        raise NothingToDraw("a comparison needs a finished trial: got none in any of the runs")
    return ComparisonInfo(
        "The fronts of the runs",
        " · ".join(account.name for account in accounts),
        tuple(panels),
        _differences(accounts),
    )


def _front(index: int, account: RunAccount, cost: Objective) -> ComparedFront:
    limit = account.summary.budgets.get(cost.attribute)
    known: list[TrialRecord] = [
        r for r in account.records if r.state == FINISHED and cost.value(r) is not None
    ]
    points = sorted(
        (cost.shown(cost.value(r) or 0.0), float(r.psnr_y_db or 0.0), r.number)
        for r in front(known, (cost, OBJECTIVES["psnr"]))
    )
    published = {
        source_name(r, account.summary): (r.number, cost.shown(cost.value(r) or 0.0), r.psnr_y_db)
        for r in known
        if r.preset is not None and r.psnr_y_db is not None
    }
    return ComparedFront(
        index,
        account.name,
        tuple((number, at, psnr) for at, psnr, number in points),
        None if limit is None else cost.shown(limit),
        published,
    )


def _differences(accounts: Sequence[RunAccount]) -> tuple[str, ...]:
    told = []
    for what, values in (
        ("scale", [f"x{a.summary.scale}" for a in accounts]),
        ("photos", [a.summary.data for a in accounts]),
        ("proxy training", [a.summary.profile for a in accounts]),
        ("output size", ["×".join(map(str, a.summary.hr[::-1])) for a in accounts]),
        ("latency", [a.summary.latency_at for a in accounts]),
    ):
        if len(set(values)) > 1:
            each = ", ".join(
                f"{a.name}: {value or 'unknown'}" for a, value in zip(accounts, values, strict=True)
            )
            told.append(f"{what} differs ({each})")
    return tuple(told)
