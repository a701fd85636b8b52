"""The audit of a run: trains some of its networks longer and again, and judges the proxy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nas.audit.frames import network_frame, repeat_db, score, searched_curves
from nas.audit.measured import measured_noise
from nas.audit.pick import candidates, pick
from nas.audit.price import COSTS
from nas.audit.settings import AuditSettings
from nas.audit.signals import LEAST_NETWORKS
from nas.audit.store import AuditFolder, Training
from nas.audit.trainers import TrainerOf, make_trainers, proxy_recipe
from nas.audit.trust import Trust, trust
from nas.noise import Noise, write_noise
from nas.objectives import OBJECTIVES
from nas.records import Rung, TrialRecord
from search_spaces.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from nas.run import Run

__all__ = ["Audited", "Progress", "audit", "rung_steps"]

_MOST_PARTS = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the trainings are.

    Attributes:
        network: number of the trial whose network is trained.
        seed: of its training.
        trainings: how many there are in all.
        done: how many of them are done.
        steps: training steps in all.
        steps_done: how many of them are done.
    """

    network: int
    seed: int
    trainings: int
    done: int
    steps: int
    steps_done: int


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found.

    Attributes:
        trust: the verdict.
        curves: a row for each rung of each long training.
        networks: prices and settings of all networks of the run.
        trials: architecture hash to trial number.
        asked: how many networks were asked for.
        elsewhere: trainings that another process is still busy with.
        noise: of the proxy between seeds, where there was enough to tell; the search that goes
            on with the run takes it for its own.
    """

    trust: Trust
    curves: pd.DataFrame
    networks: pd.DataFrame
    trials: dict[str, int]
    asked: int
    elsewhere: int
    noise: Noise | None = None


def audit(
    run: Run,
    settings: AuditSettings,
    observer: Callable[[Progress], None] | None = None,
    trainer_of: TrainerOf | None = None,
) -> Audited:
    """Trains what is still to be trained, and compares. A repeated call goes on.

    Args:
        run: finished or stopped; it may even be under way.
        settings: what to do.
        observer: told of the progress.
        trainer_of: the trainer for a seed; by default one that trains on the run's photos.

    Raises:
        InputError: too few networks, other photos than the search's, or files that cannot
            be written.
    """
    import pandas as pd

    recipe = proxy_recipe(run)
    known = candidates(run.records())
    if len(known) < LEAST_NETWORKS:
        raise InputError(
            f"{run.folder}: an audit needs at least {LEAST_NETWORKS} finished networks, got "
            f"{len(known)}; go on with its search first"
        )
    count = min(settings.networks, len(known))
    folder = AuditFolder(run.folder / "audit")
    with folder.turn("plan", wait=True):
        parts = max(1, min(_MOST_PARTS, count // 6))
        picked = pick(known, count, parts, keep=folder.read_plan().networks)
        wanted = rung_steps(known, recipe.steps, settings.factor)
        steps = folder.extend([record.architecture_hash for record in picked], wanted).steps
    seeds = range(recipe.seed, recipe.seed + settings.seeds)
    # Both seeds of a network, then the next: what is there at any time can be compared.
    work = [(record, Training(record.architecture_hash, s)) for record in picked for s in seeds]
    trainers = trainer_of or make_trainers(run, recipe, steps[-1], settings)
    busy = _train(folder, work, steps, trainers, observer or (lambda _: None))
    trainings = folder.curves([training for _, training in work])
    networks = score(network_frame(known), folder, recipe.seed)
    searched = searched_curves(known, recipe)
    if busy and len(_whole(trainings, steps[-1], settings.seeds)) < LEAST_NETWORKS:
        raise InputError(
            f"{run.folder}: another process is busy with {busy} trainings of this audit, and fewer "
            f"than {LEAST_NETWORKS} networks are done; it will tell, or run the same command later"
        )
    found = trust(
        # What the search measured comes first: by that it decided.
        pd.concat([searched, trainings[list(searched.columns)]], ignore_index=True),
        networks,
        proxy_step=recipe.steps,
        long_step=steps[-1],
        prices=_prices(run),
    )
    found = replace(found, repeat_db=repeat_db(searched, trainings))
    noise = measured_noise(trainings, recipe.steps, run.known_noise)
    if noise is not None:
        write_noise(run.folder, noise)
    numbers = {record.architecture_hash: record.number for record in known}
    return Audited(found, trainings, networks, numbers, settings.networks, busy, noise)


def _prices(run: Run) -> tuple[str, ...]:
    """What the run weighs or limits, of which a network has to pay one for another."""
    weighed = [OBJECTIVES[name].attribute for name in run.objectives]
    return tuple(name for name in dict.fromkeys([*run.budgets, *weighed]) if name in COSTS)


def rung_steps(records: Sequence[TrialRecord], proxy_steps: int, factor: float) -> tuple[int, ...]:
    """The steps at which a long training is judged: the search's rungs, its end, and on the way.

    A search without rungs gets a ninth and a third of its steps, where it might have had them.
    """
    rungs = {rung.step for record in records for rung in record.rungs}
    rungs = rungs or {max(1, proxy_steps // 9), max(1, proxy_steps // 3)}
    longest = max(round(factor * proxy_steps), proxy_steps + 1)
    wanted = {*rungs, proxy_steps, 2 * proxy_steps}
    return (*sorted(step for step in wanted if step < longest), longest)


def _train(
    folder: AuditFolder,
    work: Sequence[tuple[TrialRecord, Training]],
    steps: tuple[int, ...],
    trainer_of: TrainerOf,
    tell: Callable[[Progress], None],
) -> int:
    """Does what nobody has done or is doing; returns how many others are busy with."""
    finished = {t for _, t in work if _step_of(folder.rungs(t)) >= steps[-1]}
    if len(finished) == len(work):
        return 0
    # Only now: torch takes a while to load.
    from nas.training.loop import Diverged
    from search_spaces import Architecture

    # First, since a network of parts that are not loaded should not come up after hours.
    architectures = {t.hash: Architecture.from_dict(record.architecture) for record, t in work}
    busy = 0
    for record, training in work:
        if training in finished:
            continue
        with folder.turn(training.name, wait=False) as mine:
            rungs = folder.rungs(training)
            if not mine:
                busy += 1
                continue
            folder.sweep(training)

            def step_done(
                step: int, loss: float, seconds: float,
                record: TrialRecord = record, training: Training = training,
            ) -> None:  # fmt: skip
                done = len(finished)
                tell(Progress(record.number, training.seed, len(work), done,
                              len(work) * steps[-1], done * steps[-1] + step))  # fmt: skip

            arch = architectures[training.hash]
            if training.seed == work[0][1].seed and not folder.scores(training):
                folder.write_scores(training, trainer_of(training.seed).scores(arch))
            for step in (s for s in steps if s > _step_of(rungs)):
                rung = Rung(step, math.nan, math.nan, rungs[-1].seconds if rungs else 0.0)
                # What has diverged stays so.
                if not (rungs and math.isnan(rungs[-1].psnr_y_db)):
                    with suppress(Diverged):
                        rung = trainer_of(training.seed).advance(
                            arch, step, checkpoint=folder.checkpoint(training), on_step=step_done
                        )
                rungs.append(rung)
                folder.write(training, rungs)
            finished.add(training)
            step_done(0, math.nan, 0.0)
    return busy


def _step_of(rungs: Sequence[Rung]) -> int:
    return rungs[-1].step if rungs else 0


def _whole(trainings: pd.DataFrame, step: int, seeds: int) -> list[str]:
    counts = trainings[trainings["step"] == step].groupby("hash")["seed"].nunique()
    return [str(name) for name in counts.index[counts == seeds]]
