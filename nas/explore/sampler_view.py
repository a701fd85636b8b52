"""What the sampler sees of a search: every network with the best estimate of its worth.

Most networks end at the first rung. The sampler learns from these at once, by what they would
be worth at the last one (``nas.explore.estimate``).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import numpy as np
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from nas.explore.estimate import final_figures
from nas.objectives import OBJECTIVES
from nas.pareto import non_dominated
from nas.records import FAILED, OVER_BUDGET, TrialRecord
from nas.store.ledger import Entry

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.study import StudyDirection

__all__ = ["estimates", "final_objectives", "sampler_view"]

_FIRST = 1_000_000
_MOST = 100
"""Of more networks than this a model learns little more, and takes much longer."""


def sampler_view(
    directions: Sequence[StudyDirection],
    entries: Sequence[Entry],
    values: Sequence[list[float] | None],
    sampler: BaseSampler,
    *,
    whole: bool = False,
) -> Study:
    """A study in memory to ask for the next network.

    Args:
        directions: of the objectives.
        entries: every network so far.
        values: the objectives of each as far as they can be told, as `estimates` gives them.
        sampler: what asks.
        whole: whether all networks are in it, and not only the best and the latest ones.

    Returns:
        A study whose finished trials are the networks with estimated figures, and those over
        a budget with their constraints.
    """
    import optuna

    kept = range(len(entries)) if whole else _kept(entries, values, directions)
    seen = [_seen(entries[k], values[k]) for k in kept]
    past = [trial for trial in seen if trial is not None]
    for k, trial in enumerate(past):
        # In the networks' order, however often one was taken up again. Neither number nor id is
        # that of a trial to be made out, which count from 0: TPE would take it for that one. Nor
        # are they negative: NSGA and GP would take such trials for known.
        trial.number = trial._trial_id = _FIRST + k
    return optuna.create_study(storage=_View(past), sampler=sampler, directions=list(directions))


def estimates(
    records: Sequence[TrialRecord], objectives: Sequence[str], steps: Sequence[int]
) -> list[list[float] | None]:
    """Each record's objectives at the last rung; ``None`` where one of them cannot be told."""
    rows = final_objectives(records, objectives, steps)
    return [None if any(map(math.isnan, row)) else row for row in rows]


def final_objectives(
    records: Sequence[TrialRecord], objectives: Sequence[str], steps: Sequence[int]
) -> list[list[float]]:
    """Each record's objectives at the last rung as far as they can be told, else NaN."""
    columns = []
    for one in (OBJECTIVES[name] for name in objectives):
        if one.judged:
            figures = final_figures(records, one.attribute, steps)
        else:
            figures = [None if r.state == FAILED else one.value(r) for r in records]
        columns.append([math.nan if figure is None else figure for figure in figures])
    return [list(row) for row in zip(*columns, strict=True)]


def _kept(
    entries: Sequence[Entry],
    values: Sequence[list[float] | None],
    directions: Sequence[StudyDirection],
) -> list[int]:
    """At most so many entries: half of them the best ranks, half of them the latest."""
    if len(entries) <= _MOST:
        return list(range(len(entries)))
    signs = np.array([-1.0 if direction.name == "MAXIMIZE" else 1.0 for direction in directions])
    known = np.array([k for k, value in enumerate(values) if value is not None], dtype=np.intp)
    points = np.array([values[k] for k in known], dtype=np.float64).reshape(len(known), len(signs))
    points = points * signs
    kept: set[int] = set()
    rest = np.arange(len(known))
    while rest.size and len(kept) < _MOST // 2:
        best = non_dominated(points[rest])
        kept |= set(known[rest[best]][: _MOST // 2 - len(kept)].tolist())
        rest = rest[~best]
    latest = [k for k in range(len(entries)) if k not in kept]
    return sorted([*kept, *latest[len(kept) - _MOST :]])


def _seen(entry: Entry, values: list[float] | None) -> FrozenTrial | None:
    over = entry.record.reason == OVER_BUDGET
    if values is None and not over:
        return None
    trial = copy.copy(entry.trial)
    trial.state = TrialState.PRUNED if values is None or over else TrialState.COMPLETE
    trial._values = None if over else values
    return trial


class _View(InMemoryStorage):
    """Past trials as they are given, and the one that is being made out."""

    def __init__(self, past: Sequence[FrozenTrial]) -> None:
        super().__init__()
        self._past = list(past)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        past = [t for t in self._past if states is None or t.state in states]
        past = copy.deepcopy(past) if deepcopy else past
        return past + super().get_all_trials(study_id, deepcopy, states)
