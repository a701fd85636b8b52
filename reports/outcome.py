"""A run in a few lines: what was tried, what came of it, and how good the best network is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from nas.choice import CHEAPER
from nas.objectives import OBJECTIVES
from nas.pareto import front
from nas.records import FAILED, FINISHED, REJECTED, RUNNING, STOPPED, TrialRecord
from reports.alike import alike, apart
from reports.devices import devices_text
from reports.summary import RunSummary
from reports.tables import source_name

__all__ = ["summary_rows"]

_COSTS = {"params": " parameters", "macs": " multi-adds", "latency": "", "esr_score": ""}


def summary_rows(
    records: Iterable[TrialRecord], summary: RunSummary
) -> tuple[tuple[str, str], ...]:
    """The run in (what, figure) lines; what is not known has no line."""
    every = tuple(records)
    top = summary.choice.best(every)
    published = [r for r in every if r.preset is not None]
    rival = summary.choice.highest(published)
    rows = [
        ("Search", " · ".join(part for part in (summary.title, summary.setting) if part)),
        ("Budgets", ", ".join(f"{o.label.lower()} <= {o.text(v)}" for o, v in summary.walls)),
        ("Trials", _states(every, summary)),
        ("Proposals", _proposals(summary)),
        ("Devices", devices_text(every)),
        ("Front", f"{len(front(every, summary.weighed))} of {_finished(every)} finished networks"),
        ("Best", "no finished trial within the budgets" if top is None else _verdict(top, summary)),
        *_rivals(every, summary),
    ]
    if rival is not None and top is not None and rival.number != top.number:
        ahead = (top.psnr_y_db or 0.0) - (rival.psnr_y_db or 0.0)
        gained = f"the best trial is {ahead:+.3f} dB against it"
        gained += apart(ahead, summary.choice.margin_db)
        if top.params is not None and rival.params:
            gained += f", with {100 * (top.params / rival.params - 1):+.0f}% parameters"
        rows.append(("Best published", f"{_verdict(rival, summary)}; {gained}"))
    return tuple((what, text) for what, text in rows if text)


def _rivals(records: Sequence[TrialRecord], summary: RunSummary) -> Iterator[tuple[str, str]]:
    """What seeds alone may part from the best, and what is little more behind."""
    others = alike(records, summary)
    as_good = [one.text() for one in others if one.within]
    count = len(summary.choice.alike(records))
    if count > 2:
        as_good.append(f"{count} networks in all are alike")
    cheapest = replace(summary, prefer=CHEAPER).choice.best(records)
    if cheapest is not None and cheapest.number in [one.other.number for one in others]:
        as_good.append(f"--prefer cheaper takes trial {cheapest.number}")
    yield "As good", "; ".join(as_good) if others else ""
    yield "Nearly", "; ".join(one.text() for one in others if not one.within)


def _finished(records: Sequence[TrialRecord]) -> int:
    return sum(record.state == FINISHED for record in records)


def _states(records: Sequence[TrialRecord], summary: RunSummary) -> str:
    shown = (FINISHED, STOPPED, FAILED, REJECTED, RUNNING)
    counts = {state: sum(r.state == state for r in records) for state in shown}
    parts = [f"{count} {state}" for state, count in counts.items() if count or state == FINISHED]
    if summary.duplicates:
        plural = "" if summary.duplicates == 1 else "s"
        parts.append(f"{summary.duplicates} duplicate{plural} not trained again")
    return ", ".join(parts)


def _proposals(summary: RunSummary) -> str:
    if not summary.proposals or summary.proposals_fit is None:
        return ""
    share = 100 * summary.proposals_fit / summary.proposals
    return f"{summary.proposals_fit} of {summary.proposals} fit the budgets ({share:.1f}%)"


def _verdict(record: TrialRecord, summary: RunSummary) -> str:
    """One network in words: its PSNR-Y, its gain over the baseline and what it costs."""
    name = f"trial {record.number}"
    if record.preset is not None:
        name = f"{source_name(record, summary)} ({name})"
    psnr = record.psnr_y_db or 0.0
    gain = ""
    if summary.bicubic_psnr_y_db is not None:
        gained = psnr - summary.bicubic_psnr_y_db
        gain = f" ({gained:+.2f} dB against {summary.baseline})"
    known = [(OBJECTIVES[cost], counted) for cost, counted in _COSTS.items()]
    told = [
        one.text(value) + counted if one.unit else one.named(one.text(value))
        for one, counted in known
        if (value := one.value(record)) is not None
    ]
    return ", ".join([f"{name}: {psnr:.3f} dB{gain}", *told])
