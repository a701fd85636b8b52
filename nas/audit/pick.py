"""Which networks of a run are trained again: spread over prices and ranks, not only the best."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from nas.records import FINISHED, STOPPED, TrialRecord

__all__ = ["candidates", "pick", "worth"]


def candidates(records: Iterable[TrialRecord]) -> list[TrialRecord]:
    """The trials with a network, a price and a PSNR, each network once, cheapest first."""
    found: dict[str, TrialRecord] = {}
    for record in records:
        if record.state in (FINISHED, STOPPED) and record.params and worth(record) is not None:
            found.setdefault(record.architecture_hash, record)
    return sorted(found.values(), key=lambda r: (r.params or 0, r.architecture_hash))


def worth(record: TrialRecord) -> float | None:
    """PSNR-Y of a trial where its training ended, dB; that of its last rung if stopped early."""
    if record.psnr_y_db is not None:
        return record.psnr_y_db
    return record.rungs[-1].psnr_y_db if record.rungs else None


def pick(
    records: Sequence[TrialRecord], count: int, parts: int, keep: Collection[str] = ()
) -> list[TrialRecord]:
    """``count`` of the candidates, in an order in which any beginning is a spread of its own.

    The candidates are parted by parameters into equally many networks each. Each part gives
    equally many, at even distances in its own ranking by PSNR, the best and the worst among
    them; a network stopped early counts by its last rung.

    Args:
        records: as from :func:`candidates`.
        count: how many to pick; all, where there are no more.
        parts: by price, of which each gives equally many.
        keep: hashes of networks that are picked before all others.
    """
    count = min(count, len(records))
    kept = [record for record in records if record.architecture_hash in keep]
    if len(kept) > count:
        return pick(kept, count, parts)
    parts = max(1, min(parts, count))
    # The candidates come cheapest first.
    queues = [
        _spread([records[i] for i in members], keep)
        for members in np.array_split(np.arange(len(records)), parts)
    ]
    order = kept
    chosen = {record.architecture_hash for record in order}
    taken = [sum(r.architecture_hash in chosen for r in queue) for queue in queues]
    while len(order) < count:
        # The part with the fewest next: what is kept may lie anywhere.
        part = min((p for p in range(parts) if taken[p] < len(queues[p])), key=lambda p: taken[p])
        record = next(r for r in queues[part] if r.architecture_hash not in chosen)
        chosen.add(record.architecture_hash)
        taken[part] += 1
        order.append(record)
    return order


def _spread(records: Sequence[TrialRecord], keep: Collection[str]) -> list[TrialRecord]:
    """The records, those kept first; then each as far in rank as possible from those before."""
    ranked = sorted(records, key=lambda r: (-(worth(r) or 0.0), r.architecture_hash))
    chosen = [i for i, r in enumerate(ranked) if r.architecture_hash in keep]
    rest = [i for i in range(len(ranked)) if i not in chosen]
    while rest:
        apart = [min((abs(i - j) for j in chosen), default=len(ranked) - i) for i in rest]
        chosen.append(rest.pop(int(np.argmax(apart))))
    return [ranked[i] for i in chosen]
