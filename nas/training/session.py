"""One full training from its first step, or from its last checkpoint, to its end."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from nas.data import Patches
from nas.evaluate.validate import Quality, validate
from nas.stopping import StopWish, stop_wish
from nas.training.answers import SHOWN, asked
from nas.training.beside import Beside
from nas.training.board import Board, open_board
from nas.training.checkpoint import Progress, read_checkpoint, sound, write_checkpoint
from nas.training.events import (
    RolledBack,
    Saved,
    TrainingEnded,
    TrainingStarted,
    TrainingStep,
    Validated,
    Watcher,
)
from nas.training.first_weights import set_first_weights
from nas.training.folder import RunFolder
from nas.training.loop import Diverged, train
from nas.training.losses import objective_of
from nas.training.processes import ALONE, Processes
from nas.training.recipe import Recipe
from nas.training.settings import TrainSettings
from nas.training.state import TrainState, start
from nas.training.warm_start import initial_network, of_other_scale
from search_spaces import Network
from search_spaces.errors import InputError

__all__ = ["train_fully"]

_LEAST_RATE_FACTOR = 0.5


def train_fully(
    settings: TrainSettings,
    watcher: Watcher = lambda event: None,
    *,
    processes: Processes = ALONE,
) -> Progress:
    """Trains, or goes on with the training that the run folder holds, or finds it done.

    On the CPU, a training that was stopped, by whatever means, ends with the same bits as one
    that was not.

    Args:
        settings: the same ones at every start.
        watcher: told what happens, in the first process only.
        processes: those that train together.

    Returns:
        Where the training stands: at its end.

    Raises:
        InputError: a run folder of another training, a file that cannot be written, or a
            training that diverged twice.
        KeyboardInterrupt: somebody wanted it to stop; it is saved.
    """
    alone = RunFolder(settings.run).occupied() if processes.first else nullcontext()
    with alone, stop_wish() as wish:
        return _Session(settings, watcher, processes, wish).run()


class _Session:
    def __init__(
        self, settings: TrainSettings, tell: Watcher, processes: Processes, wish: StopWish
    ) -> None:
        self.settings, self.processes, self.wish = settings, processes, wish
        self.full, self.photos = settings.recipe, settings.photos
        # A late phase may have patches that no photo holds: better said now than after a day.
        for phase in self.full.phases:
            self.photos.for_patches(phase.lr_size)
        self.tell = tell if processes.first else lambda event: None
        self.device = torch.device(settings.device)
        self.scale, self.colors = settings.architecture.scale, settings.architecture.colors
        self.folder = RunFolder(settings.run)
        self.network: Network = initial_network(settings.architecture, settings.init, settings.seed)
        self.answers, self.teacher = asked(settings, self.device)
        self.identity, self.progress = settings.identity, Progress()
        self.state: TrainState = self.fresh()
        self.beside = Beside.measured(settings) if processes.first else Beside()
        self.board: Board
        self.began = self.saved = time.monotonic()

    def run(self) -> Progress:
        resumed = self.folder.checkpoint.exists()
        if resumed:
            self.take(self.folder.checkpoint)
        # Nobody writes before everybody has read.
        self.processes.from_first(0.0)
        wanted = self.settings.tensorboard if self.processes.first else False
        self.board, note = open_board(self.folder.board, wanted, self.step)
        self.tell(self.started([note] if note else []))
        if self.processes.first and not resumed:
            # First of all: the folder is known by it.
            self.describe()
            if self.settings.init is not None:
                self.folder.keep_init(self.settings.init)
        try:
            while self.progress.phase < len(self.full.phases):
                self.phase()
        finally:
            self.board.close()
        if self.processes.first:
            self.describe()
            self.folder.good.unlink(missing_ok=True)
        self.tell(TrainingEnded(
            self.step, self.progress.best_psnr_y_db or math.nan, self.progress.best_step,
            self.state.seconds, self.beside.bicubic_db, self.beside.proxy_db, self.beside.baseline,
        ))  # fmt: skip
        return self.progress

    def describe(self) -> None:
        beside = self.beside.to_plain()
        self.folder.describe(self.settings, self.progress, self.state.seconds, beside)

    @property
    def step(self) -> int:
        """Steps done, over all phases."""
        if self.progress.phase == len(self.full.phases):
            return self.full.steps
        return self.full.first_step(self.progress.phase) + self.state.step

    def recipe(self) -> Recipe:
        """That of the phase, after a divergence with smaller steps."""
        number = min(self.progress.phase, len(self.full.phases) - 1)
        recipe, factor = self.full.phases[number], self.progress.rate_factor
        # Each phase has its own patches, and each seed its own weights.
        return recipe.slowed(factor).replace(seed=self.settings.seed + (number << 32))

    def fresh(self) -> TrainState:
        """Step 0 of the phase, from the network's weights as they are."""
        return start(self.network, self.recipe(), device=self.device, colors=self.colors)

    def phase(self) -> None:
        """From where the phase is to the start of the next."""
        recipe, number = self.recipe(), self.progress.phase
        photos = self.photos.for_patches(recipe.lr_size)
        patches = Patches.of(photos.train, self.scale, recipe)
        answers = self.answers.cut(patches, recipe) if self.answers else None
        if self.state.step == 0:
            init = self.settings.init
            other_scale = of_other_scale(init, self.scale)
            if number == 0 and (init is None or other_scale):
                set_first_weights(self.network, patches, recipe, trained_trunk=other_scale)
            if init is not None and not self.progress.rows and self.processes.first:
                # What it begins with is the first that may be the best.
                self.measure()
            self.save(good=True)
        while self.state.step < recipe.steps:
            try:
                self.advance(patches, answers, recipe)
            except Diverged as error:
                self.roll_back(error)
                if self.progress.phase != number:
                    return
                recipe = self.recipe()
        averaged = self.state.averaged()
        self.progress.phase += 1
        if self.progress.phase < len(self.full.phases):
            seconds = self.state.seconds
            self.network.load_state_dict(averaged.state_dict())
            self.state = self.fresh()
            self.state.seconds = seconds
        self.save()

    def advance(self, patches: Patches, answers: Patches | None, recipe: Recipe) -> None:
        """To the next validation, checkpoint or stop."""
        every, before = self.settings.validate_every, self.full.first_step(self.progress.phase)
        until = min(recipe.steps, ((before + self.state.step) // every + 1) * every - before)
        train(
            self.state, patches, recipe, until,
            on_step=partial(self.stepped, recipe), objective=objective_of(recipe, self.teacher),
            answers=answers, pause=self.pause, processes=self.processes,
        )  # fmt: skip
        if self.state.step == until:
            self.validate()
        else:
            self.save()
        wish = torch.tensor(float(self.wish.asked), device=self.device)
        if self.processes.mean(wish) > 0:
            if self.processes.first:
                self.folder.write_weights(self.averaged(), "last")
            raise KeyboardInterrupt

    def pause(self) -> bool:
        due = time.monotonic() - self.saved > self.settings.checkpoint_s
        return self.wish.asked or (due and self.processes.first)

    def stepped(self, recipe: Recipe, step: int, loss: float) -> None:
        before, number = self.full.first_step(self.progress.phase), self.progress.phase
        rate = recipe.rate(step - 1)
        seconds = time.monotonic() - self.began
        self.tell(TrainingStep(before + step, number, loss, rate, seconds))
        if self.processes.first and (before + step) % 10 == 0:
            self.board.scalars(before + step, {"train/loss": loss, "train/learning_rate": rate})

    def averaged(self) -> Network:
        network = self.state.averaged()
        assert isinstance(network, Network)
        return network

    def validate(self) -> None:
        """Measures the averaged weights, keeps the best, and writes down where it stands."""
        shared = self.processes.from_first(self.measure() if self.processes.first else math.nan)
        if not math.isfinite(shared):
            reason = f"diverged: a PSNR of {shared} dB on the validation photos"
            raise Diverged(reason, self.state.step, self.state.recent_loss)
        self.save(good=True)

    def measure(self) -> float:
        """PSNR-Y of the averaged weights on the first set, dB; they are kept if it is a number."""
        network = self.averaged()
        found = {
            name: validate(network, photos, self.scale, colors=self.colors)
            for name, photos in self.photos.sets.items()
        }
        psnr_y_db = next(iter(found.values())).psnr_y_db
        if math.isfinite(psnr_y_db):
            self.keep(network, found)
        return psnr_y_db

    def keep(self, network: Network, found: dict[str, Quality]) -> None:
        progress, first = self.progress, next(iter(found.values()))
        row: dict[str, float | int | None] = {
            "step": self.step, "phase": progress.phase,
            "loss": self.state.recent_loss if self.state.step else None,
            "learning_rate": self.recipe().rate(max(0, self.state.step - 1)),
            "seconds": round(self.state.seconds, 3),
        }  # fmt: skip
        for name, quality in found.items():
            row |= {f"{name}_psnr_y_db": quality.psnr_y_db, f"{name}_ssim_y": quality.ssim_y}
        progress.rows.append(row)
        if progress.best_psnr_y_db is None or first.psnr_y_db > progress.best_psnr_y_db:
            progress.best_psnr_y_db, progress.best_step = first.psnr_y_db, self.step
            self.folder.write_weights(network, "best")
        self.folder.write_weights(network, "last")
        self.folder.write_history(progress.rows)
        psnrs = {name: quality.psnr_y_db for name, quality in found.items()}
        self.board.scalars(
            self.step, {f"{n}/psnr_y_db": q.psnr_y_db for n, q in found.items()}
            | {f"{n}/ssim_y": q.ssim_y for n, q in found.items()},
        )  # fmt: skip
        self.folder.show(self.board, self.step, network, self.photos)
        self.tell(
            Validated(self.step, progress.phase, psnrs, progress.best_psnr_y_db, progress.best_step)
        )

    def save(self, *, good: bool = False) -> None:
        """Writes a checkpoint; a good one is what a divergence goes back to."""
        if self.processes.first:
            for path in [self.folder.checkpoint] + [self.folder.good] * good:
                write_checkpoint(path, self.identity, self.progress, self.state)
            self.tell(Saved(self.step))
        self.saved = time.monotonic()

    def take(self, path: Path) -> None:
        """Goes back, or on, to what a checkpoint holds."""
        self.progress, content = read_checkpoint(path, self.identity, self.device)
        with sound(path):
            self.state = self.fresh().restore(content)

    def roll_back(self, error: Diverged) -> None:
        if self.progress.rate_factor <= _LEAST_RATE_FACTOR:
            raise InputError(
                f"{self.settings.run}: {error.reason} of phase {self.progress.phase + 1}, again at "
                f"half the step size; expected a recipe with a smaller learning_rate"
            ) from error
        # Files are looked at by all processes, and written by the first one.
        self.processes.from_first(0.0)
        self.take(self.folder.good)
        self.progress = replace(self.progress, rate_factor=_LEAST_RATE_FACTOR)
        self.processes.from_first(0.0)
        self.save(good=True)
        self.tell(RolledBack(error.reason, self.step, self.progress.rate_factor))

    def started(self, notes: list[str]) -> TrainingStarted:
        skipped = ", ".join(f"{n} {reason}" for reason, n in self.photos.skipped.items())
        return TrainingStarted(
            str(self.settings.run), self.settings.architecture.hash,
            sum(p.numel() for p in self.network.parameters()), self.full.name,
            self.step, self.full.steps, len(self.full.phases), str(self.device),
            self.processes.count, self.photos.name, len(self.photos.train),
            self.beside.bicubic,
            (*self.settings.notes, *([f"Image files left out: {skipped}"] if skipped else []),
             *([SHOWN] if self.answers else []), *self.beside.notes, *notes),
            self.beside.baseline,
        )  # fmt: skip
