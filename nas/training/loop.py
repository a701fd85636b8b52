"""The one training loop: proxy, full training, fine-tuning and distillation all run it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nas.evaluate.precision import resolve_precision
from nas.evaluate.quality import RGB_TO_YCC
from nas.quiet import training_step
from nas.training.losses import Objective, objective_of
from nas.training.processes import ALONE, Processes
from nas.training.recipe import Recipe
from nas.training.state import TrainState, share_of_newest, trainable

if TYPE_CHECKING:
    from nas.data import Patches

__all__ = ["Diverged", "OnStep", "train", "unit"]

OnStep = Callable[[int, float], None]


class Diverged(RuntimeError):
    """A training whose loss is not a number or has exploded.

    Attributes:
        reason: one line for the trial's record.
        step: the step at which it was seen, from 1.
        loss: the loss of that step.
    """

    def __init__(self, reason: str, step: int, loss: float) -> None:
        super().__init__(reason)
        self.reason, self.step, self.loss = reason, step, loss


def train(
    state: TrainState,
    patches: Patches,
    recipe: Recipe,
    until_step: int | None = None,
    *,
    on_step: OnStep | None = None,
    objective: Objective | None = None,
    answers: Patches | None = None,
    pause: Callable[[], bool] | None = None,
    processes: Processes = ALONE,
) -> TrainState:
    """Train ``state`` in place from where it is until ``until_step`` (default: the recipe's end).

    Args:
        state: from `start`, or loaded; already past ``until_step``: nothing happens.
        patches: batch number ``step`` of it is trained on at ``step``, whatever came before.
        recipe: the same one at every call of one training.
        until_step: pause after so many steps in all.
        on_step: called as ``on_step(step, loss)`` with every step from 1, on a GPU some later.
            What it raises (KeyboardInterrupt, say) leaves a state that can go on.
        objective: (network, lr, hr) -> scalar loss; lr and hr are (N, colors, h, w) in 0..1.
            Default: the recipe's loss.
        answers: the same patches as a teacher enlarges them, which the objective gets as well.
        pause: asked when losses have been read; after a yes, given in any of the processes,
            training returns early in all of them, with a state that goes on to the same bits.
        processes: those that train together, each its part of the batch, as one would do it
            alone but for rounding.

    Raises:
        Diverged: the loss is NaN or infinite, or far above its best.
        InputError: a batch that the processes cannot share evenly.
    """
    end = recipe.steps if until_step is None else until_step
    network, optimizer, device = state.network.train(), state.optimizer, state.device
    parameters = trainable(network)
    dtype = resolve_precision(recipe.precision, device)
    measure = objective or objective_of(recipe)
    part, called = processes.part(recipe.batch), processes.wrapped(network)
    watch = _LossWatch(state, recipe, on_step, pause, processes)
    while state.step < end and not watch.paused:
        began = time.perf_counter()
        # One takes the lock for all: of two, one could wait for it while the other waits for the
        # first one's gradients.
        alone = training_step() if processes.first else nullcontext()
        with alone, patches.ahead(state.step + 1, part):
            batch = patches.batch(state.step, part)
            images = [batch.lr, batch.hr]
            if answers is not None:
                images.append(answers.batch(state.step, part).hr)
            lr, *wanted = (unit(one, state.colors, device) for one in images)
            with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
                loss = measure(called, lr, *wanted)
            optimizer.zero_grad()
            loss.backward()
            if recipe.clip_norm is not None:
                nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
            optimizer.step(recipe, state.step)
            state.step += 1
            with torch.no_grad():
                weight = share_of_newest(recipe.averaged_share, state.step)
                torch._foreach_lerp_(state.average, parameters, weight)
        state.seconds += time.perf_counter() - began
        watch.add(loss.detach())
    watch.flush()
    return state


def unit(pixels: Tensor, colors: int, device: torch.device) -> Tensor:
    """uint8 (N, 3, h, w) as float32 in 0..1, (N, colors, h, w), channels_last.

    Of one colour it is luma, 16/255..235/255 (ITU-R BT.601).
    """
    values = pixels.to(device, non_blocking=True).to(torch.float32)
    if colors == 1:
        weights = torch.tensor(RGB_TO_YCC[0], dtype=torch.float32, device=device)
        values = torch.einsum("nchw,c->nhw", values, weights).unsqueeze(1) + 16.0
    return values.div_(255.0).contiguous(memory_format=torch.channels_last)


class _LossWatch:
    """Reads losses in bundles, since reading one waits for a GPU, and stops what diverges."""

    def __init__(
        self,
        state: TrainState,
        recipe: Recipe,
        on_step: OnStep | None,
        pause: Callable[[], bool] | None,
        processes: Processes,
    ) -> None:
        self.state, self.recipe, self.on_step = state, recipe, on_step
        self.pause, self.processes = pause, processes
        self.every = 1 if state.device.type == "cpu" else 20
        self.pending: list[Tensor] = []
        self.paused = False

    def add(self, loss: Tensor) -> None:
        self.pending.append(loss)
        if len(self.pending) >= self.every:
            self.flush()

    def flush(self) -> None:
        if not self.pending:
            return
        wish = self.pause is not None and self.pause()
        told = torch.stack([*self.pending, torch.full_like(self.pending[0], float(wish))])
        # One message for the losses and the wish: all stop after the same step, or none.
        *losses, wishes = self.processes.mean(told).tolist()
        self.paused = wishes > 0
        self.pending.clear()
        for step, loss in enumerate(losses, self.state.step - len(losses) + 1):
            self._check(step, loss)
            if self.on_step is not None:
                self.on_step(step, loss)

    def _check(self, step: int, loss: float) -> None:
        state = self.state
        if not math.isfinite(loss):
            raise Diverged(f"diverged: the loss is {loss} at step {step}", step, loss)
        first = math.isnan(state.recent_loss)
        # About ten steps: a single batch of hard patches is no divergence.
        state.recent_loss = loss if first else 0.9 * state.recent_loss + 0.1 * loss
        state.best_loss = min(state.best_loss, state.recent_loss)
        if state.recent_loss > self.recipe.explode_ratio * state.best_loss:
            raise Diverged(
                f"diverged: the loss rose from {state.best_loss:.4g} to {state.recent_loss:.4g} "
                f"at step {step}",
                step,
                loss,
            )
