"""The search: propose, price, train, record, until the goal is reached."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.data import Patches, load_dataset
from nas.evaluate.environment import environment
from nas.evaluate.precision import best_device
from nas.evaluate.train import Diverged
from nas.evaluate.validate import bicubic_quality
from nas.explore.events import (
    Observer,
    SearchEnded,
    SearchStarted,
    TrainingStep,
    TrialEnded,
    TrialRejected,
    TrialStarted,
)
from nas.explore.lease import Lease
from nas.explore.meter import Figures, Meter
from nas.explore.propose import Proposal, fixed_parameters, propose
from nas.explore.sampler import make_sampler
from nas.explore.settings import SearchSettings, make_settings
from nas.explore.study import (
    open_storage,
    open_study,
    proposals,
    quietly,
    read_records,
    recover_interrupted,
    requeue,
    set_state,
    storage_errors,
)
from nas.explore.trial import train_network
from nas.objectives import OBJECTIVES
from nas.pareto import best, front
from nas.records import FAILED, FINISHED, REJECTED, TrialRecord
from nas.run import Run, embedded_storage, open_run, write_run
from search_spaces import Architecture, preset, save_weights
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from optuna import Study

__all__ = ["run_search", "search"]

# A sampler that finds nothing new so often in a row has seen all that it will see.
_MOST_BARREN = 100


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


def run_search(settings: SearchSettings, observer: Observer | None = None) -> Run:
    """Runs a search until its goal, its time limit or a KeyboardInterrupt, which is passed on."""
    tell = observer if observer is not None else _ignore
    quietly()
    lease = Lease(settings.run / "workers")
    try:
        with storage_errors():
            return _Search(settings, tell, lease).run()
    finally:
        lease.release()


class _Search:
    """One worker's part in a search."""

    def __init__(self, settings: SearchSettings, tell: Observer, lease: Lease) -> None:
        self.settings, self.tell, self.lease = settings, tell, lease
        self.device = str(best_device(settings.device))
        self.meter = Meter(settings.budgets, settings.hr, settings.latency_lr, self.device)
        if any(budget.name == "latency" for budget in settings.budgets):
            self.meter.calibrate(settings.space, settings.scale)
        self.meter.check_possible(settings.space, settings.scale)
        self.dataset = load_dataset(
            settings.scale,
            data=settings.data,
            validation=settings.validation,
            lr_size=settings.recipe.lr_size,
        )
        recipe = settings.recipe
        self.patches = Patches(
            self.dataset.train,
            settings.scale,
            lr_size=recipe.lr_size,
            batch=recipe.batch,
            seed=recipe.seed,
        )
        self.bicubic = bicubic_quality(self.dataset.validation, settings.scale)
        self.study = self._open()
        self.handle = open_run(settings.run, storage=settings.storage)

    def run(self) -> Run:
        recover_interrupted(self.study, self.lease.alive)
        began = time.monotonic()
        goal, limit_s = self.settings.trials, self.settings.timeout_s
        self.tell(self._started())
        barren = 0
        while True:
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
            barren = 0 if self._one_trial() else barren + 1
        self.handle.write_tables(read_records(self.study))
        self.tell(SearchEnded(reason, trained, goal))
        return self.handle

    def _one_trial(self) -> bool:
        """Proposes one network and, where it is new and fits, trains it. Returns whether so."""
        settings, study = self.settings, self.study
        study.sampler = make_sampler(settings.sampler, settings.seed, proposals(study))
        proposal = propose(study, settings.space, settings.scale, self.meter)
        attrs = {
            "source": proposal.trial.user_attrs.get("source", "sampler"),
            "nas_worker": self.lease.worker,
            "architecture": proposal.architecture.to_dict(),
            "architecture_hash": proposal.architecture.hash,
        }
        for key, value in attrs.items():
            proposal.trial.set_user_attr(key, value)
        if not proposal.fits:
            return self._reject(proposal, "over budget")
        earlier = self._earlier(proposal)
        if earlier is not None:
            return self._reject(proposal, "duplicate", f"of trial {earlier}")
        figures = self.meter.measure(proposal.architecture)
        over = [b for b in settings.budgets if getattr(figures, b.attribute) > b.limit]
        if over:
            for b in over:
                excess = getattr(figures, b.attribute) / b.limit - 1
                proposal.trial.set_constraint(b.name, excess)
            return self._reject(proposal, "over budget")
        try:
            self._train(proposal, figures)
        except KeyboardInterrupt:
            number = proposal.trial.number
            requeue(study, number, study.get_trials(deepcopy=False)[number])
            self.handle.write_tables(read_records(study))
            raise
        return True

    def _train(self, proposal: Proposal, figures: Figures) -> None:
        settings, trial, arch = self.settings, proposal.trial, proposal.architecture
        number, steps = trial.number, settings.recipe.steps
        record = TrialRecord(
            number,
            "running",
            source=trial.user_attrs["source"],
            architecture=arch.to_dict(),
            architecture_hash=arch.hash,
            params=figures.params,
            macs=figures.macs,
            activations=figures.activations,
            memory_mb=figures.memory_mb,
            latency_ms=figures.latency_ms,
            latency_min_ms=figures.latency_min_ms,
            made_with=self._made_with(figures),
        )
        self._write(proposal, record)
        self.tell(TrialStarted(record))
        checkpoint = settings.run / "checkpoints" / f"{arch.hash}.pt"

        def on_step(step: int, loss: float, seconds: float) -> None:
            self.tell(TrainingStep(number, step, steps, loss, seconds))

        try:
            trained = train_network(
                arch,
                self.dataset,
                self.patches,
                settings.recipe,
                device=self.device,
                checkpoint=checkpoint,
                on_step=on_step,
            )
        except Diverged as error:
            self._fail(proposal, error.reason)
        else:
            # The weights first: a trial that counts as finished has them.
            save_weights(trained.network, self.handle.weights(record))
            trial.set_user_attr("psnr_y_db", trained.psnr_y_db)
            trial.set_user_attr("ssim_y", trained.ssim_y)
            trial.set_user_attr("train_steps", trained.steps)
            trial.set_user_attr("train_seconds", round(trained.seconds, 3))
            values = trial.user_attrs
            self.study.tell(
                trial, [float(values[OBJECTIVES[o].attribute]) for o in settings.objectives]
            )
        checkpoint.unlink(missing_ok=True)
        self._ended(number)

    def _ended(self, number: int) -> None:
        records = read_records(self.study)
        self.handle.write_tables(records)
        objectives = [OBJECTIVES[name] for name in self.settings.objectives]
        self.tell(
            TrialEnded(
                next(record for record in records if record.number == number),
                _trained(records),
                self.settings.trials,
                len(front(records, objectives)),
                best(records, self.handle.budgets),
            )
        )

    def _reject(self, proposal: Proposal, reason: str, detail: str = "") -> bool:
        from optuna.trial import TrialState

        trial = proposal.trial
        trial.set_user_attr("reason", reason)
        if detail:
            trial.set_user_attr("nas_detail", detail)
        set_state(trial.set_user_attr, REJECTED)
        # Optuna's samplers learn from the constraints of pruned trials and pass failed ones by.
        over = reason == "over budget"
        self.study.tell(trial, state=TrialState.PRUNED if over else TrialState.FAIL)
        record = TrialRecord.from_attrs(trial.number, REJECTED, trial.user_attrs)
        self.tell(TrialRejected(record))
        return False

    def _fail(self, proposal: Proposal, reason: str) -> None:
        from optuna.trial import TrialState

        proposal.trial.set_user_attr("reason", reason)
        set_state(proposal.trial.set_user_attr, FAILED)
        self.study.tell(proposal.trial, state=TrialState.FAIL)

    def _earlier(self, proposal: Proposal) -> int | None:
        """The number of an earlier trial with the same network.

        Every worker writes its own hash before it reads the others', so of two that
        propose the same network at once the later number sees the earlier.
        """
        for record in read_records(self.study):
            if record.number >= proposal.trial.number:
                break
            same = record.architecture_hash == proposal.architecture.hash
            if same and record.state in (FINISHED, FAILED, "running"):
                return record.number
        return None

    def _write(self, proposal: Proposal, record: TrialRecord) -> None:
        for key, value in record.to_attrs().items():
            if proposal.trial.user_attrs.get(key) != value:
                proposal.trial.set_user_attr(key, value)

    def _made_with(self, figures: Figures) -> dict[str, Any]:
        settings = self.settings
        return {
            "profile": settings.profile,
            "recipe": settings.recipe.model_dump(mode="json"),
            "data": self.dataset.name,
            "data_fingerprint": self.dataset.fingerprint,
            "space": settings.space.name,
            "space_hash": settings.space.hash,
            "sampler": settings.sampler,
            "seed": settings.seed,
            "latency": figures.measured_with,
            "environment": environment().to_dict(),
        }

    def _open(self) -> Study:
        settings = self.settings
        identity = settings.identity(self.dataset.name, self.dataset.fingerprint)
        storage = open_storage(settings.storage or embedded_storage(settings.run))
        name = settings.run.resolve().name
        study = open_study(storage, name, settings.objectives, identity, self._populate)
        write_run(settings.run, self._about(name, identity))
        return study

    def _about(self, name: str, identity: dict[str, Any]) -> dict[str, Any]:
        from sqlalchemy.engine import make_url

        url = self.settings.storage
        return {
            "schema_version": 1,
            "study": name,
            "storage": make_url(url).render_as_string(hide_password=True) if url else None,
            "identity": identity,
            "bicubic": {
                "psnr_y_db": self.bicubic.psnr_y_db,
                "ssim_y": self.bicubic.ssim_y,
            },
            "photos": {
                "train": len(self.dataset.train),
                "validation": [photo.name for photo in self.dataset.validation],
            },
            "sampler": self.settings.sampler,
            "seed": self.settings.seed,
            "trials": self.settings.trials,
            "command": " ".join(["nas", *sys.argv[1:]]) if sys.argv else "nas.search",
            "environment": environment().to_dict(),
        }

    def _populate(self, study: Study) -> None:
        """Queues the published systems that fit."""
        settings = self.settings
        for name, point in settings.space.starting_points.items():
            parameters = fixed_parameters(settings.space, point, settings.scale, self.meter)
            if parameters is not None:
                study.enqueue_trial(dict(parameters), user_attrs={"source": f"preset:{name}"})

    def _started(self) -> SearchStarted:
        settings = self.settings
        return SearchStarted(
            str(settings.run),
            settings.trials,
            _trained(read_records(self.study)),
            self.dataset.name,
            len(self.dataset.train),
            len(self.dataset.validation),
            self.bicubic.psnr_y_db,
            self.device,
            settings.recipe.steps,
            dict(self.dataset.skipped),
        )


def _trained(records: Sequence[TrialRecord]) -> int:
    return sum(record.state in (FINISHED, FAILED) for record in records)


def _ignore(event: object) -> None:
    return None
