"""What the page says of one trial: where one points at it, and in the panel beside."""

from __future__ import annotations

import html
import textwrap
from typing import Any

from nas.objectives import OBJECTIVES
from nas.records import FINISHED, STOPPED, TrialRecord
from reports.summary import RunSummary
from reports.tables import source_name
from reports.words import architecture_words
from search_spaces.yaml_file import to_yaml

__all__ = ["trial_facts"]

_WIDTH, _MOST_LINES = 58, 9


def trial_facts(record: TrialRecord, summary: RunSummary) -> dict[str, Any]:
    """A trial as plain data: ``title``, ``state``, ``words``, ``figures``, ``yaml``, ``hover``.

    ``hover`` is the little HTML that Plotly reads, everything from the outside escaped in it;
    the rest is text.
    """
    words = architecture_words(record.architecture)
    figures = [
        (one.label, one.text(value))
        for one in OBJECTIVES.values()
        if (value := one.value(record)) is not None
    ]
    if record.train_steps:
        seconds = f" in {record.train_seconds:,.0f} s" if record.train_seconds else ""
        figures.append(("Trained", f"{record.train_steps:,} steps{seconds}"))
    if record.state == STOPPED and record.rungs:
        last = record.rungs[-1]
        figures.append(("Stopped", f"at step {last.step:,}, {last.psnr_y_db:.3f} dB"))
    title = f"Trial {record.number}"
    if record.preset is not None:
        title += f" · {source_name(record, summary)}"
    state = record.state
    if record.reason:
        state += f": {record.reason}"
    return {
        "title": title,
        "state": "" if record.state == FINISHED else state,
        "words": list(words),
        "figures": figures,
        "yaml": to_yaml(dict(record.architecture)) if record.architecture else "",
        "hover": _hover(title, figures, words, record),
    }


def _hover(
    title: str,
    figures: list[tuple[str, str]],
    words: tuple[str, ...],
    record: TrialRecord,
) -> str:
    told = [text for _, text in figures[:1]] + [
        f"{text}{' parameters' if label == 'Parameters' else ' multi-adds'}"
        for label, text in figures
        if label in ("Parameters", "Multi-Adds")
    ]
    told += [text for label, text in figures if label == "Latency"]
    lines = [line for part in words for line in textwrap.wrap(part, _WIDTH)]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "…"]
    if record.state != FINISHED:
        told.insert(0, record.state)
    head = f"<b>{html.escape(title, quote=False)}</b><br>"
    body = html.escape(" · ".join(told), quote=False)
    rest = "".join(f"<br>{html.escape(line, quote=False)}" for line in lines)
    return head + body + rest
