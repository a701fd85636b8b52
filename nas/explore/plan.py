"""What a worker does next: decided on the study as it stands, and written into it at once."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas.explore.acquisition import LATEST, Known, most_promising, priced
from nas.explore.context import Context
from nas.explore.halving import Climber, next_promotion
from nas.explore.propose import Proposal, choose
from nas.explore.rung_figures import errors, points_of
from nas.explore.sampler import WHOLE, make_sampler
from nas.explore.sampler_view import estimates, sampler_view
from nas.explore.widening import widened
from nas.records import (
    DUPLICATE,
    INTERRUPTED,
    OVER_BUDGET,
    REJECTED,
    RUNNING,
    STOPPED,
    TrialRecord,
)
from nas.store.leases import Lease
from nas.store.ledger import ROOT, UNTIL, Entry, Standing
from nas.store.study import add_ended, begin, claim, fail, reject_over_budget
from search_spaces import Architecture

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

__all__ = ["Job", "Plan"]

# Optuna's names for the parameters with which a trial was queued, and for a constraint.
_QUEUED = "fixed_params"
_LATENCY = "constraints:latency"

_AT_RANDOM = 8
"""So many candidates are drawn at random where the sampler knows nothing new."""


@dataclass(frozen=True, slots=True)
class Job:
    """A network to be trained.

    Attributes:
        trial: the running trial that stands for it.
        architecture: the network.
        record: what is known of it, as the trial's attributes say it.
        until: the step to train to.
    """

    trial: Trial
    architecture: Architecture
    record: TrialRecord
    until: int

    def write(self, record: TrialRecord) -> Job:
        """Writes the news of another record into the trial; returns the job with it."""
        known = self.record.to_attrs()
        for key, value in record.to_attrs().items():
            if known.get(key) != value:
                self.trial.set_user_attr(key, value)
        return replace(self, record=record)


class Plan:
    """Gives the worker that has a lease its jobs. All of it is done in the worker's turn."""

    def __init__(self, context: Context, lease: Lease) -> None:
        self.context, self.lease = context, lease
        self.settings, self.study = context.settings, context.study
        self.steps = context.settings.rung_steps

    def resume(self, standing: Standing) -> Job | TrialRecord | None:
        """Goes on with a network whose worker is gone, the earliest one first."""
        for entry in standing.entries:
            if entry.record.state != INTERRUPTED:
                continue
            if entry.begun:
                return self._take_up(entry, entry.until or self.steps[0])
            if _QUEUED in entry.trial.system_attrs:
                # Its worker died before the network was made out.
                attrs = {"source": entry.record.source, ROOT: entry.root}
                trial = begin(self.study, entry.trial, self.lease.worker, attrs)
                return self._make_out(trial, standing, entry.root)
        return None

    def promote(self, standing: Standing, *, closing: bool) -> Job | None:
        """Goes on with a network that waits at a rung and is among its best."""
        entry = self._promoted(standing, closing=closing)
        return None if entry is None else self._take_up(entry, self._step_after(entry))

    def step_after(self, standing: Standing, number: int, *, closing: bool) -> int | None:
        """The step that a running trial at a rung goes on to; ``None`` where it pauses."""
        entry = self._promoted(standing, only=number, closing=closing)
        return None if entry is None else self._step_after(entry)

    def propose(self, standing: Standing) -> Job | TrialRecord:
        """A new network, of the queue or of the sampler; a rejected one is only recorded.

        The last ones are the best as wide as the budgets hold, where those are new.
        """
        if standing.queued or self._queue_widened(standing):
            trial = self.study.ask()
            claim(trial, self.lease.worker)
            return self._make_out(trial, standing, trial.number)
        settings = self.settings
        sampler = make_sampler(settings.sampler, settings.seed, standing.proposals)
        records = [entry.record for entry in standing.entries]
        values = estimates(records, settings.objectives, self.steps)
        view = sampler_view(
            self.study.directions,
            standing.entries,
            values,
            sampler,
            whole=settings.sampler in WHOLE,
        )
        number = len(standing.records) + standing.queued
        like, proposal = self._choose(view, standing, values, number)
        record = self._record(proposal, number, "sampler")
        reason = self._objection(proposal, standing, number)
        if reason:
            record = replace(record, state=REJECTED, reason=reason)
            state = "" if reason == OVER_BUDGET else REJECTED
            add_ended(self.study, like, record.to_attrs(), state)
            return record
        attrs = {**record.to_attrs(), UNTIL: self.steps[0]}
        trial = begin(self.study, like, self.lease.worker, attrs)
        record = replace(record, number=trial.number)
        return Job(trial, proposal.architecture, record, self.steps[0])

    def _queue_widened(self, standing: Standing) -> bool:
        wide = widened(standing, self.settings, self.context.meter, self.context.run.choice)
        if wide is not None:
            self.study.enqueue_trial(dict(wide.parameters), user_attrs={"source": wide.source})
        return wide is not None

    def _choose(
        self,
        view: Study,
        standing: Standing,
        values: Sequence[list[float] | None],
        number: int,
    ) -> tuple[FrozenTrial, Proposal]:
        """Asks for candidates and takes the most promising; where none can be trained, the first.

        A sampler that has found its favourites proposes them again and again. Where all of its
        candidates are known already, others are drawn at random.
        """
        settings, meter = self.settings, self.context.meter
        made: list[Proposal] = []
        able: dict[str, int] = {}
        for name, count in (("", settings.candidates), ("random", _AT_RANDOM)):
            if name:
                # What a sampler made of chance proposes is new, unless the space is exhausted.
                view.sampler = make_sampler(name, settings.seed, standing.proposals)
            for k in range(len(made), len(made) + count):
                made.append(choose(view.ask(), settings.space, settings.scale, meter))
                if not self._objection(made[k], standing, number):
                    # Two points may be one network; it is compared once, as the earlier one.
                    able.setdefault(made[k].architecture.hash, k)
            # Where nothing fits, it is the budgets that are in the way: chance would not help.
            if able or not any(proposal.fits for proposal in made):
                break
        chosen = 0
        if able:
            architectures = [made[k].architecture for k in able.values()]
            candidates = [Known.of(a.to_dict(), meter.prices(a), {}) for a in architectures]
            # One alone needs no comparison, and the regression would cost as much as for many.
            past = [] if len(able) == 1 else self._past(standing, values)
            chosen = list(able.values())[most_promising(candidates, past, settings.objectives)]
        # The view ends with the trials that were asked for just now, whatever stands before them.
        like = view.get_trials(deepcopy=False)[chosen - len(made)]
        return like, made[chosen]

    def _past(self, standing: Standing, values: Sequence[list[float] | None]) -> list[Known]:
        """The latest networks of which all objectives are known or estimated."""
        names = self.settings.objectives
        told = [
            (entry.record, row)
            for entry, row in zip(standing.entries, values, strict=True)
            if row is not None and priced(entry.record)
        ]
        return [
            Known.of(record.architecture, record, dict(zip(names, row, strict=True)))
            for record, row in told[-LATEST:]
        ]

    def _make_out(self, trial: Trial, standing: Standing, root: int) -> Job | TrialRecord:
        """Makes out the network of a trial from the queue, and writes it down."""
        settings = self.settings
        # Whoever queues parameters by hand may have left some out.
        self.study.sampler = make_sampler("random", settings.seed, trial.number)
        meter = self.context.meter
        # What somebody wants to see is measured, whatever is thought of it.
        proposal = choose(trial, settings.space, settings.scale, meter, by_guess=not meter.measures)
        source = trial.user_attrs.get("source", "queue")
        record = self._record(proposal, trial.number, source)
        bare = Job(trial, proposal.architecture, TrialRecord(trial.number, RUNNING), self.steps[0])
        job = bare.write(record)
        trial.set_user_attr(UNTIL, job.until)
        reason = self._objection(proposal, standing, root)
        if not reason:
            return job
        if reason == OVER_BUDGET:
            reject_over_budget(self.study, trial)
        else:
            fail(self.study, trial, REJECTED, reason)
        return replace(record, state=REJECTED, reason=reason)

    def _take_up(self, entry: Entry, until: int) -> Job:
        """A trial that goes on where another one ended."""
        bare = replace(entry.record, reason="")
        attrs = {**bare.to_attrs(), ROOT: entry.root, UNTIL: until}
        like = copy.copy(entry.trial)
        if not entry.record.has_costs:
            # A constraint can be set once, and the latency is to be measured again.
            known = entry.trial.system_attrs.items()
            like.system_attrs = {k: v for k, v in known if k != _LATENCY}
        trial = begin(self.study, like, self.lease.worker, attrs)
        record = replace(bare, number=trial.number, state=RUNNING)
        return Job(trial, Architecture.from_dict(dict(record.architecture)), record, until)

    def _promoted(
        self, standing: Standing, *, closing: bool, only: int | None = None
    ) -> Entry | None:
        settings = self.settings
        entries = [entry for entry in standing.entries if entry.begun and entry.record.rungs]
        mine = [k for k, entry in enumerate(entries) if entry.trial.number == only]
        points = points_of(entries, settings)
        climbers = [
            Climber(point, len(e.record.rungs), e.record.state == STOPPED or k in mine)
            for k, (e, point) in enumerate(zip(entries, points, strict=True))
        ]
        index = next_promotion(
            climbers,
            len(self.steps),
            settings.eta,
            errors(points, settings),
            among=None if only is None else mine,
            closing=closing,
        )
        return None if index is None else entries[index]

    def _step_after(self, entry: Entry) -> int:
        assert entry.record.last_rung is not None
        return next(step for step in self.steps if step > entry.record.last_rung.step)

    def _objection(self, proposal: Proposal, standing: Standing, root: int) -> str:
        if not proposal.fits:
            return OVER_BUDGET
        others = standing.roots.get(proposal.architecture.hash, frozenset()) - {root}
        return DUPLICATE if others else ""

    def _record(self, proposal: Proposal, number: int, source: str) -> TrialRecord:
        arch = proposal.architecture
        record = TrialRecord(number, RUNNING, source, arch.to_dict(), arch.hash)
        if self.settings.measures_late and proposal.fits:
            figures = self.context.meter.prices(arch)
            record = figures.complete(record, self.context.made_with(figures))
        return record
