"""The search: propose, price, train, record, until the goal is reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from optuna.exceptions import UpdateFinishedTrialError

from nas.evaluate.precision import best_device
from nas.evaluate.train import Diverged
from nas.explore.bench import Bench, Joins, set_up
from nas.explore.events import (
    Observer,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    TrialRejected,
    TrialStarted,
)
from nas.explore.leases import Lease, LeaseLost, take_lease
from nas.explore.meter import Meter
from nas.explore.propose import Proposal, propose
from nas.explore.sampler import make_sampler
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.study import (
    claim,
    fail,
    proposals,
    quietly,
    read_records,
    recover_interrupted,
    reject_over_budget,
    storage_errors,
)
from nas.explore.trainer import NetworkTrainer, Trainer
from nas.objectives import OBJECTIVES
from nas.pareto import best, front
from nas.records import (
    DUPLICATE,
    FAILED,
    FINISHED,
    REJECTED,
    RUNNING,
    TrialRecord,
)
from nas.run import Run

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["run_search", "search"]

# A sampler that finds nothing new so often in a row has seen all that it will see.
_MOST_BARREN = 100
_WAIT_SECONDS = 0.5


def search(
    budgets: Sequence[str] = (), *, observer: Observer | None = None, **settings: Any
) -> Run:
    """Searches for the best networks within the budgets, or goes on with a search.

    Args:
        budgets: such as ``["600K-params", "25ms-latency"]``.
        observer: told what happens, with the records of ``nas.explore.events``.
        **settings: see ``nas.explore.settings.make_settings``.

    Returns:
        The run; ``run.front()`` is its Pareto front as a DataFrame.

    Raises:
        InputError: a setting that makes no sense.
    """
    return run_search(make_settings(budgets, **settings), observer)


def run_search(
    settings: SearchSettings,
    observer: Observer | None = None,
    *,
    trainer: Trainer | None = None,
    meter: Meter | None = None,
    joins: Joins | None = None,
) -> Run:
    """Runs a search until its goal, its time limit or a KeyboardInterrupt, which is passed on.

    Args:
        settings: of the search.
        observer: told what happens.
        trainer: says what networks are worth; by default it trains them on the photos.
        meter: says what networks cost; by default it measures their latency as well.
        joins: given where this worker joins a study that is there already.

    Raises:
        InputError: photos, budgets, a run folder or a store that cannot be used.
    """
    quietly()
    device = str(best_device(settings.device))
    if meter is None:
        meter = Meter(
            settings.budgets, settings.hr, settings.latency_lr, device, settings.latency_model
        )
    # Whatever can be said without the run folder is said before one is made.
    meter.check_possible(settings.space, settings.scale)
    patient = joins is not None and joins.patient
    lease = take_lease(settings.storage, settings.study_name, settings.run, patient=patient)
    try:
        with storage_errors():
            if trainer is None:
                trainer = NetworkTrainer.of(settings, device)
            # Two workers that start at once would both make the study.
            with lease.turn():
                lease.sweep()
                bench = set_up(settings, meter, trainer, joins)
            _Worker(bench, observer or _ignore, lease).work()
            return bench.run
    finally:
        lease.release()


class _Worker:
    """One worker of a search: asks for networks and trains them, one after the other."""

    def __init__(self, bench: Bench, tell: Observer, lease: Lease) -> None:
        self.bench, self.tell, self.lease = bench, tell, lease
        self.settings, self.study = bench.settings, bench.study

    def work(self) -> None:
        began = time.monotonic()
        goal, limit_s = self.settings.trials, self.settings.timeout_s
        self.tell(self._started())
        barren = 0
        try:
            while True:
                self._recover(self.lease.alive)
                trained = _trained(read_records(self.study))
                if trained >= goal:
                    reason = "goal reached"
                    break
                if limit_s is not None and time.monotonic() - began >= limit_s:
                    reason = "time is up"
                    break
                if barren >= _MOST_BARREN:
                    reason = f"nothing new in {barren} proposals: the space seems exhausted"
                    break
                try:
                    proposal = self._propose()
                    if proposal is None:
                        # Should one of the others not end its trial, it is there to take up.
                        time.sleep(_WAIT_SECONDS)
                        continue
                    barren = 0 if self._one_trial(proposal) else barren + 1
                except (LeaseLost, UpdateFinishedTrialError):
                    # Whoever took this worker for dead has its trial now.
                    self.lease.renew()
        except KeyboardInterrupt:
            self._recover(self._is_anothers)
            self._write_tables()
            raise
        self._write_tables()
        self.tell(SearchEnded(reason, trained, goal))

    def _recover(self, alive: Callable[[str], bool]) -> None:
        with self.lease.turn():
            recover_interrupted(self.study, alive)

    def _is_anothers(self, worker: str) -> bool:
        return worker != self.lease.worker and self.lease.alive(worker)

    def _write_tables(self) -> list[TrialRecord]:
        # Of two workers that end a trial at once, the later one writes what both did.
        with self.lease.turn():
            records = read_records(self.study)
            if self.bench.keeps_tables:
                self.bench.run.write_tables(records)
        return records

    def _propose(self) -> Proposal | None:
        """The next network; ``None`` where the others are at as many as are still wanted."""
        settings, study = self.settings, self.study
        with ExitStack() as turn:
            turn.enter_context(self.lease.turn())
            records = read_records(study)
            underway = sum(record.state == RUNNING for record in records)
            if _trained(records) + underway >= settings.trials:
                return None

            def on_asked(trial: Trial) -> None:
                # In the same turn, so that nobody sees a trial without its worker.
                claim(trial, self.lease.worker)
                turn.close()

            study.sampler = make_sampler(settings.sampler, settings.seed, proposals(study))
            return propose(
                study, settings.space, settings.scale, self.bench.meter, on_asked=on_asked
            )

    def _one_trial(self, proposal: Proposal) -> bool:
        """Trains the proposed network where it is new and fits. Returns whether so."""
        settings, study, meter = self.settings, self.study, self.bench.meter
        trial, arch = proposal.trial, proposal.architecture
        record = TrialRecord(
            trial.number,
            RUNNING,
            source=trial.user_attrs.get("source", "sampler"),
            architecture=arch.to_dict(),
            architecture_hash=arch.hash,
        )
        with self.lease.turn():
            self._write(proposal, record)
            known = proposal.fits and self._is_known(proposal)
        if not proposal.fits:
            return self._over_budget(proposal)
        if known:
            fail(study, trial, REJECTED, DUPLICATE)
            return self._rejected(proposal)
        figures = meter.measure(arch)
        record = figures.complete(record, self.bench.made_with(figures))
        over = {b.name: getattr(record, b.attribute) / b.limit - 1 for b in settings.budgets}
        if "latency" in over:
            trial.set_constraint("latency", over["latency"])
        if any(excess > 0 for excess in over.values()):
            return self._over_budget(proposal)
        self._train(proposal, record)
        return True

    def _train(self, proposal: Proposal, record: TrialRecord) -> None:
        bench, trial, arch = self.bench, proposal.trial, proposal.architecture
        number, recipe = trial.number, self.settings.recipe
        self._write(proposal, record)
        self.tell(TrialStarted(record))
        checkpoint = self.settings.run / "checkpoints" / f"{arch.hash}.pt"

        def on_step(step: int, loss: float, seconds: float) -> None:
            self.lease.check()
            self.tell(TrainingStep(number, step, recipe.steps, loss, seconds))

        try:
            rung = bench.trainer.advance(arch, recipe.steps, checkpoint=checkpoint, on_step=on_step)
        except Diverged as error:
            fail(self.study, trial, FAILED, error.reason)
        else:
            self.lease.check()
            # The weights first: a trial that counts as finished has them.
            bench.trainer.save_weights(arch, checkpoint, bench.run.weights(record))
            record = replace(
                record,
                psnr_y_db=rung.psnr_y_db,
                ssim_y=rung.ssim_y,
                train_steps=rung.step,
                train_seconds=rung.seconds,
                rungs=(rung,),
            )
            self._write(proposal, record)
            names = self.settings.objectives
            self.study.tell(trial, [float(getattr(record, OBJECTIVES[n].attribute)) for n in names])
        bench.trainer.forget(checkpoint)
        self._ended(number)

    def _ended(self, number: int) -> None:
        run, records = self.bench.run, self._write_tables()
        self.tell(
            TrialEnded(
                next(record for record in records if record.number == number),
                _trained(records),
                self.settings.trials,
                len(front(records, [OBJECTIVES[name] for name in run.objectives])),
                best(records, run.budgets),
            )
        )

    def _over_budget(self, proposal: Proposal) -> bool:
        reject_over_budget(self.study, proposal.trial)
        return self._rejected(proposal)

    def _rejected(self, proposal: Proposal) -> bool:
        trial = proposal.trial
        self.tell(TrialRejected(TrialRecord.from_attrs(trial.number, REJECTED, trial.user_attrs)))
        return False

    def _is_known(self, proposal: Proposal) -> bool:
        """Whether another trial has the same network.

        Workers write their own hash and read the others' one after the other, so of two
        that propose the same network at once the second one sees the first.
        """
        return any(
            record.architecture_hash == proposal.architecture.hash
            and record.state in (FINISHED, FAILED, RUNNING)
            for record in read_records(self.study)
            if record.number != proposal.trial.number
        )

    def _write(self, proposal: Proposal, record: TrialRecord) -> None:
        there = proposal.trial.user_attrs
        for key, value in record.to_attrs().items():
            if there.get(key) != value:
                proposal.trial.set_user_attr(key, value)

    def _started(self) -> SearchStarted:
        bench, settings, photos = self.bench, self.settings, self.bench.trainer.photos
        return SearchStarted(
            str(settings.run),
            settings.trials,
            _trained(read_records(self.study)),
            photos.name,
            photos.train,
            len(photos.validation),
            photos.bicubic_psnr_y_db,
            bench.meter.device,
            settings.recipe.steps,
            dict(photos.skipped),
        )


def _trained(records: Sequence[TrialRecord]) -> int:
    return sum(record.state in (FINISHED, FAILED) for record in records)


def _ignore(event: object) -> None:
    return None
