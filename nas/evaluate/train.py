"""The one training loop: proxy, full training, fine-tuning and distillation all run it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.evaluate.precision import resolve_precision
from nas.evaluate.quiet import training_step
from nas.evaluate.recipe import Recipe
from nas.evaluate.state import TrainState, trainable

if TYPE_CHECKING:
    from nas.data import Patches

__all__ = ["Diverged", "Objective", "l1", "train"]

Objective = Callable[[nn.Module, Tensor, Tensor], Tensor]
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


def l1(network: nn.Module, lr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute error of the network's output, in float32."""
    return F.l1_loss(network(lr).float(), hr)


def train(
    state: TrainState,
    patches: Patches,
    recipe: Recipe,
    until_step: int | None = None,
    *,
    on_step: OnStep | None = None,
    objective: Objective = l1,
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

    Raises:
        Diverged: the loss is NaN or infinite, or far above its best.
    """
    end = recipe.steps if until_step is None else until_step
    network, optimizer, device = state.network.train(), state.optimizer, state.device
    parameters = trainable(network)
    dtype = resolve_precision(recipe.precision, device)
    watch = _LossWatch(state, recipe, on_step, every=1 if device.type == "cpu" else 20)
    while state.step < end:
        began = time.perf_counter()
        with training_step():
            batch = patches.batch(state.step)
            lr, hr = _unit(batch.lr, state.colors, device), _unit(batch.hr, state.colors, device)
            with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
                loss = objective(network, lr, hr)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)
            for group in optimizer.param_groups:
                group["lr"] = _warmed_up(recipe, state.step)
            optimizer.step()
            with torch.no_grad():
                torch._foreach_lerp_(state.average, parameters, 1.0 - recipe.ema_decay)
            state.step += 1
        state.seconds += time.perf_counter() - began
        watch.add(loss.detach())
    watch.flush()
    return state


def _warmed_up(recipe: Recipe, step: int) -> float:
    return recipe.learning_rate * min(1.0, (step + 1) / max(1, recipe.warmup_steps))


_RGB_TO_Y = (65.481 / 255, 128.553 / 255, 24.966 / 255)


def _unit(pixels: Tensor, colors: int, device: torch.device) -> Tensor:
    """uint8 (N, 3, h, w) as float32 in 0..1, (N, colors, h, w), channels_last."""
    values = pixels.to(device, non_blocking=True).to(torch.float32)
    if colors == 1:
        weights = torch.tensor(_RGB_TO_Y, device=device)
        values = torch.einsum("nchw,c->nhw", values, weights).unsqueeze(1) + 16.0
    return values.div_(255.0).contiguous(memory_format=torch.channels_last)


class _LossWatch:
    """Reads losses in bundles, since reading one waits for a GPU, and stops what diverges."""

    def __init__(
        self, state: TrainState, recipe: Recipe, on_step: OnStep | None, every: int
    ) -> None:
        self.state, self.recipe, self.on_step, self.every = state, recipe, on_step, every
        self.pending: list[Tensor] = []

    def add(self, loss: Tensor) -> None:
        self.pending.append(loss)
        if len(self.pending) >= self.every:
            self.flush()

    def flush(self) -> None:
        losses = torch.stack(self.pending).tolist() if self.pending else []
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
