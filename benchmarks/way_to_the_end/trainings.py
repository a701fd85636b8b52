"""One training, to the row that it gives."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.research_data import research_data
from benchmarks.way_to_the_end.cases import Case, Variation, dataset, variation_of
from nas.data import Patches
from nas.data.aligned import aligned
from nas.data.shrunk import with_shrunk
from nas.training.answers import Answers
from nas.training.loop import train
from nas.training.losses import objective_of
from nas.training.recipe import Recipe, profile
from nas.training.schedule import FullRecipe
from nas.training.session import train_fully
from nas.training.settings import TrainSettings
from nas.training.state import seeded, start
from nas.training.teacher import load_teacher
from search_spaces import Network, build, save_weights
from search_spaces.checkpoints import import_checkpoint

__all__ = ["Found", "found"]

_STEPS_A_TURN, _UNTIMED = 3, 2
_TIMED_S, _LEAST_TURNS, _MOST_TURNS = 6.0, 10, 60
_VALIDATIONS = 2


@dataclass(frozen=True)
class Found:
    """What a training cost, and what came out.

    Attributes:
        seconds: of one core for the steps of the training, without validation or waiting, and for
            what its teacher makes of the photos.
        share: of the seconds of a base training of as many steps as were asked for.
        psnr_y_db: of the averaged weights at the end, on the validation photos.
    """

    seconds: float
    share: float
    psnr_y_db: float


def found(case: Case, name: str, seed: int, base_steps: int, steps: int, work: Path) -> Found:
    """Trains a network in a folder of its own below ``work``, or goes on there.

    Args:
        case: the network.
        name: of the variation.
        seed: of weights and patches.
        base_steps: of the base training with which it is compared.
        steps: of this one.
        work: its folder is named after all of these.
    """
    variation, base = variation_of(name), variation_of("base").recipe(base_steps)
    full, teacher = variation.recipe(steps), _teacher(case, variation, work)
    init = _init(case, variation, seed, steps, work)
    run = _folder(case, name, seed, steps, work)
    settings = _settings(case, full, seed, run, init, teacher)
    answers = Answers.wanted(settings, torch.device("cpu"))
    asked_s = 0.0 if answers is None else _asked(answers, case, full)
    # Of a few steps it is asked for each patch.
    asked = load_teacher(None if answers else teacher, case.architecture, "cpu")
    per_step = _seconds_a_step(case, [*base.phases, *full.phases], answers, asked)
    base_s = base_steps * per_step[0]
    own_s = asked_s + sum(
        phase.steps * each for phase, each in zip(full.phases, per_step[1:], strict=True)
    )
    psnr_y_db = _trained(settings)
    return Found(round(own_s, 1), round(own_s / base_s, 3), psnr_y_db)


def _folder(case: Case, name: str, seed: int, steps: int, work: Path) -> Path:
    return work / f"{case.name}, {name}, {steps} steps, seed {seed}".replace(" ", "_")


def _settings(
    case: Case, full: FullRecipe, seed: int, run: Path, init: Path | None, teacher: Path | None
) -> TrainSettings:
    return TrainSettings(
        case.architecture, full, dataset(case.architecture.scale), run, init, seed,
        max(1, full.steps // _VALIDATIONS), tensorboard=False, teacher=teacher,
    )  # fmt: skip


def _trained(settings: TrainSettings) -> float:
    last = train_fully(settings).rows[-1]["validation_psnr_y_db"]
    assert last is not None
    return float(last)


def _asked(answers: Answers, case: Case, full: FullRecipe) -> float:
    """Processor seconds of what a teacher makes of all photos."""
    scale, began = case.architecture.scale, time.process_time()
    for phase in full.phases:
        whole = dataset(scale).for_patches(phase.lr_size).train
        for photo in with_shrunk(whole, phase.scale_augmentation, phase.lr_size * scale):
            answers.of(aligned(photo, scale).lr)
    return time.process_time() - began


def _init(case: Case, variation: Variation, seed: int, steps: int, work: Path) -> Path | None:
    """Weights to begin with, trained where they are not there yet."""
    if variation.init == "":
        return None
    if variation.init == "x2":
        first, full = case.at_x2, variation_of("base").recipe(steps)
    else:
        first, full = case, FullRecipe(name="quick", source="", phases=(profile("quick"),))
    run = _folder(first, full.name, seed, full.steps, work)
    _trained(_settings(first, full, seed, run, None, None))
    return run / "last.safetensors"


def _teacher(case: Case, variation: Variation, work: Path) -> Path | None:
    if not variation.teacher:
        return None
    file, preset = case.teacher
    path = work / f"{preset}-x{case.architecture.scale}.safetensors"
    if not path.exists():
        checkpoint = research_data() / "checkpoints" / file
        save_weights(import_checkpoint(checkpoint, preset, case.architecture.scale), path)
    return path


def _seconds_a_step(
    case: Case, recipes: Sequence[Recipe], answers: Answers | None, teacher: Network | None
) -> list[float]:
    """Processor seconds of a step by each recipe, the first without teacher: medians of turns."""
    arch, photos = case.architecture, dataset(case.architecture.scale)
    ready = []
    for number, recipe in enumerate(recipes):
        patches = Patches.of(photos.for_patches(recipe.lr_size).train, arch.scale, recipe)
        taught = patches.with_hr(answers) if number and answers is not None else None
        state = start(seeded(lambda: build(arch), 0), recipe, colors=arch.colors)
        objective = objective_of(recipe, teacher if number else None)
        ready.append((state, patches, recipe, objective, taught))
    times: list[list[float]] = [[] for _ in ready]
    ended, turn = time.process_time() + _TIMED_S, 0
    while turn < _MOST_TURNS and (turn < _LEAST_TURNS or time.process_time() < ended):
        turn += 1
        for (state, patches, recipe, objective, taught), own in zip(ready, times, strict=True):
            # Of the processor, not the clock's: other work may have it meanwhile.
            began = time.process_time()
            train(
                state, patches, recipe, state.step + _STEPS_A_TURN, objective=objective,
                answers=taught,
            )  # fmt: skip
            if turn > _UNTIMED:
                own.append((time.process_time() - began) / _STEPS_A_TURN)
    return [statistics.median(some) for some in times]
