"""One worker of a search: takes jobs and trains networks, until there is nothing left to do."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from optuna.exceptions import UpdateFinishedTrialError

from nas.explore.checkpoints import Checkpoints
from nas.explore.context import Context
from nas.explore.events import (
    Observer,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    TrialPromoted,
    TrialRejected,
    TrialStarted,
)
from nas.explore.lost_turn import is_ours
from nas.explore.plan import Job, Plan
from nas.explore.trial_costs import TrialCosts
from nas.objectives import OBJECTIVES
from nas.pareto import front, within
from nas.records import FAILED, OVER_BUDGET, REJECTED, RUNNING, STOPPED, TrialRecord
from nas.stopping import StopWish
from nas.store.leases import Lease, LeaseLost
from nas.store.ledger import UNTIL, Ledger, Standing
from nas.store.shutdown import LEAVE_S, end_transaction, leaving
from nas.store.study import fail, recover_interrupted, reject_over_budget, stop
from nas.tables import sweep_weights, write_tables
from nas.training.loop import Diverged
from search_spaces.errors import NotPossible, StoreError

__all__ = ["Worker"]

# A sampler that finds nothing new so often in a row has seen all that it will see.
_MOST_BARREN = 100

_WAIT_SECONDS = 0.5

# Of a search's time no more than this goes into its tables, which are never much behind.
_TABLES_SHARE = 0.01
_TABLES_SECONDS = 10.0


class Worker:
    """Looks for a job, does it, and again.

    Args:
        context: of the search.
        tell: told what happens.
        lease: its sign of life, and its turn among its peers.
        wish: to stop, heeded between jobs, in trainings, measuring and waiting, not in the store.
    """

    def __init__(self, context: Context, tell: Observer, lease: Lease, wish: StopWish) -> None:
        self.context, self.tell, self.lease, self.wish = context, tell, lease, wish
        self.settings, self.study = context.settings, context.study
        self.ledger, self.plan = Ledger(context.study), Plan(context, lease)
        self.checkpoints, self.costs = Checkpoints(context), TrialCosts(context, tell, wish)
        self.steps = self.settings.rung_steps
        self._barren: list[str] = []
        self._began = time.monotonic()
        self._tables_after = 0.0

    def work(self) -> None:
        """Works until the goal is reached, the time is up, or a KeyboardInterrupt.

        Raises:
            KeyboardInterrupt: passed on, once what was in work is left for others to take up.
        """
        self.tell(self._started())
        try:
            while (reason := self._next()) is None:
                self.wish.heed()
        except KeyboardInterrupt:
            self._hand_back()
            raise
        standing = self._write_tables(now=True)
        self.checkpoints.forget_ended(standing)
        self.tell(SearchEnded(reason, standing.trained, self.settings.trials))

    def _hand_back(self) -> None:
        """Leaves to others what was in work; somebody who insists does not wait for that."""
        # Whatever raised the interruption may have done so within a transaction, and what is
        # waited for now may wait for its end.
        end_transaction(self.study)
        if self.wish.insists:
            return
        with leaving(self.wish), self.lease.turn(LEAVE_S):
            recover_interrupted(self.study, self._is_anothers)
            self._update_tables(now=True)

    def _next(self) -> str | None:
        """Does one job. Returns why there is none left, if so."""
        with self.lease.turn():
            standing = self.ledger.read()
            # It has nothing in work now: what runs in its name was cut off with a connection.
            if recover_interrupted(self.study, self._is_anothers, standing.running):
                standing = self.ledger.read()
            found = self._find(standing)
            whole = self.lease.has_turn()
        if isinstance(found, str):
            return found
        if isinstance(found, TrialRecord):
            self._barren.append(found.reason)
            self.tell(TrialRejected(found))
        elif isinstance(found, Job):
            try:
                if whole or is_ours(self.context, found, standing, self.ledger, self.lease):
                    self._do(found)
            except (LeaseLost, UpdateFinishedTrialError):
                # Whoever took this worker for dead has its trial now.
                self.lease.renew()
        else:
            # Should one of the others not end its trial, it is there to take up.
            self.wish.sleep(_WAIT_SECONDS)
        return None

    def _find(self, standing: Standing) -> Job | TrialRecord | str | None:
        """Finds a job, or a proposal to reject, or why there is none left, or nothing for now."""
        goal, limit_s = self.settings.trials, self.settings.timeout
        if limit_s is not None and time.monotonic() - self._began >= limit_s:
            return "goal reached" if standing.trained >= goal else "time is up"
        closing = self._closing(standing)
        job = self.plan.resume(standing) or self.plan.promote(standing, closing=closing)
        if job is not None:
            return job
        if standing.begun < goal and len(self._barren) < _MOST_BARREN:
            return self.plan.propose(standing)
        if any(entry.record.state == RUNNING for entry in standing.entries):
            return None
        if standing.trained >= goal:
            return "goal reached"
        count, over = len(self._barren), self._barren.count(OVER_BUDGET)
        if over > count / 2:
            return f"{over} of {count} proposals are over a budget: raise it or take another space"
        return f"nothing new in {count} proposals: the space seems exhausted"

    def _closing(self, standing: Standing) -> bool:
        """Whether no new network will come, so that the best ones are to be finished."""
        return standing.trained >= self.settings.trials or len(self._barren) >= _MOST_BARREN

    def _do(self, job: Job) -> None:
        """Trains a network from rung to rung for as long as it is among the best."""
        try:
            measured = self._measure(job)
        except NotPossible as error:
            fail(self.study, job.trial, FAILED, str(error))
            self._tell_end(job, self._write_tables())
            return
        if measured is None:
            return
        job = measured
        self.tell(TrialStarted(job.record, job.until))
        while True:
            self.wish.heed()
            if job.record.last_rung is None or job.record.last_rung.step < job.until:
                try:
                    job = self._train(job)
                except Diverged as error:
                    fail(self.study, job.trial, FAILED, error.reason)
                    break
            if job.until == self.steps[-1]:
                self._finish(job)
                break
            with self.lease.turn():
                standing = self.ledger.read()
                closing = self._closing(standing)
                step = self.plan.step_after(standing, job.trial.number, closing=closing)
                if step is None:
                    stop(self.study, job.trial)
                    # In the same turn: in the next one another worker may promote it.
                    standing = self._update_tables(now=False)
            if step is None:
                self._tell_end(job, standing)
                return
            job = replace(job, until=step)
            job.trial.set_user_attr(UNTIL, step)
            self.tell(TrialPromoted(job.record, step))
        self.context.trainer.forget(self._checkpoint(job))
        self._tell_end(job, self._write_tables())

    def _measure(self, job: Job) -> Job | None:
        """Measures the network; rejects it, and returns ``None``, where it is over a budget."""
        if job.record.has_costs:
            return job
        record = self.costs.complete(job.record, job.architecture)
        budgets = self.settings.budget
        for budget in budgets:
            timed = OBJECTIVES[budget.name].timed
            if timed and (figure := OBJECTIVES[budget.name].value(record)) is not None:
                job.trial.set_constraint(budget.name, figure / budget.limit - 1)
        job = job.write(record)
        if not within([record], {b.attribute: b.limit for b in budgets}):
            reject_over_budget(self.study, job.trial)
            self._barren.append(OVER_BUDGET)
            self.costs.over += 1
            record = replace(record, state=REJECTED, reason=OVER_BUDGET)
            self.tell(TrialRejected(record))
            return None
        self._barren.clear()
        self.costs.over = 0
        return job

    def _train(self, job: Job) -> Job:
        number, until = job.trial.number, job.until

        def on_step(step: int, loss: float, seconds: float) -> None:
            self.lease.check()
            self.tell(TrainingStep(number, step, until, loss, seconds))

        rung = self.context.trainer.advance(
            job.architecture, until, checkpoint=self._checkpoint(job), on_step=on_step
        )
        self.lease.check()
        return job.write(replace(job.record, rungs=(*job.record.rungs, rung)))

    def _finish(self, job: Job) -> None:
        rung = job.record.last_rung
        assert rung is not None
        # The weights first: a trial that counts as finished has them.
        weights = self.context.run.weights(job.record)
        self.context.trainer.save_weights(job.architecture, self._checkpoint(job), weights)
        record = job.record
        if self.settings.measures_late:
            record = self.costs.if_possible(record, job.architecture)
        record = replace(
            record,
            psnr_y_db=rung.psnr_y_db,
            ssim_y=rung.ssim_y,
            train_steps=rung.step,
            train_seconds=rung.seconds,
            own={**record.own, **rung.own},
        )
        job.write(record)
        found = {name: OBJECTIVES[name].value(record) for name in self.settings.objectives}
        if unknown := [name for name, value in found.items() if value is None]:
            reason = f"no figure of the objective {', '.join(unknown)} at the end of its training"
            fail(self.study, job.trial, FAILED, reason)
            return
        values = [value for value in found.values() if value is not None]
        told = self.study.tell(job.trial, values)
        if told.values != values:
            # Optuna passes over what a store refuses; the trial would be done again, and again.
            raise StoreError(
                f"study storage: does not take the values of trial {job.trial.number}; what was "
                f"finished is kept: mend that, then run the same command again"
            )

    def _tell_end(self, job: Job, standing: Standing) -> None:
        run, records = self.context.run, standing.records
        on_front = front(records, [OBJECTIVES[name] for name in run.objectives])
        self.tell(
            TrialEnded(
                standing.entry(job.trial.number).record,
                standing.trained,
                self.settings.trials,
                len(on_front),
                run.choice.best(records),
                sum(entry.record.state == STOPPED for entry in standing.entries),
            )
        )

    def _write_tables(self, *, now: bool = False) -> Standing:
        """Writes the tables, unless they were written just now. Returns how things stand."""
        # Of two workers that end a trial at once, the later one writes what both did.
        with self.lease.turn():
            return self._update_tables(now=now)

    def _update_tables(self, *, now: bool) -> Standing:
        standing = self.ledger.read()
        self.checkpoints.keep_the_best(standing)
        began = time.monotonic()
        if now or began >= self._tables_after:
            if self.context.keeps_tables:
                write_tables(self.context.run, standing.records)
                sweep_weights(self.context.run, standing.records)
            ended = time.monotonic()
            self._tables_after = ended + min((ended - began) / _TABLES_SHARE, _TABLES_SECONDS)
        return standing

    def _checkpoint(self, job: Job) -> Path:
        return self.checkpoints.path(job.record.architecture_hash)

    def _is_anothers(self, worker: str) -> bool:
        return worker != self.lease.worker and self.lease.alive(worker)

    def _started(self) -> SearchStarted:
        context, settings, photos = self.context, self.settings, self.context.trainer.photos
        return SearchStarted(
            str(settings.run), settings.trials, self.ledger.read().trained, photos.name,
            photos.train, len(photos.validation), photos.bicubic_psnr_y_db, context.meter.device,
            settings.recipe.steps, dict(photos.skipped), self.steps, context.notes,
            context.meter.latency_place if settings.weighs_latency else "", photos.baseline,
        )  # fmt: skip
