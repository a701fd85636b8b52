"""By which devices a run's latencies were told, where it was more than one."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping

from nas.records import TrialRecord

__all__ = ["devices_text"]


def devices_text(records: Iterable[TrialRecord]) -> str:
    """How many networks each device was asked for, and what the reference took there.

    Devices of a kind take about as long for the reference: their latencies compare. ``""`` where
    one device told all.
    """
    references_ms: defaultdict[str, list[float]] = defaultdict(list)
    for record in records:
        told = record.made_with.get("latency")
        # What a model foretold was measured nowhere, and has no reference.
        reference_ms = told.get("reference_ms") if isinstance(told, Mapping) else None
        if isinstance(told, Mapping) and isinstance(reference_ms, (int, float)):
            references_ms[str(told.get("device"))].append(float(reference_ms))
    if len(references_ms) < 2:
        return ""
    quickest = min(map(statistics.median, references_ms.values()))
    parts = []
    for device, times_ms in references_ms.items():
        usual = statistics.median(times_ms)
        networks = f"{len(times_ms)} network{'s' if len(times_ms) > 1 else ''}"
        slower = f", {usual / quickest - 1:.0%} slower" if usual > quickest else ""
        parts.append(f"{device}: {networks}, the reference {usual:.3g} ms{slower}")
    return "; ".join(parts)
