"""Training that an interruption costs nothing, and a crash no more than half a minute."""

from __future__ import annotations

import time
from pathlib import Path

from nas.data import Patches
from nas.stopping import stop_wish
from nas.training.loop import OnStep, train
from nas.training.losses import Objective
from nas.training.recipe import Recipe
from nas.training.state import TrainState

__all__ = ["train_checkpointed"]

_CHECKPOINT_SECONDS = 30.0


def train_checkpointed(
    state: TrainState,
    patches: Patches,
    recipe: Recipe,
    checkpoint: Path | None,
    *,
    until_step: int | None = None,
    objective: Objective | None = None,
    on_step: OnStep | None = None,
) -> None:
    """Trains as `nas.training.loop.train` does; the state goes to ``checkpoint`` now and then.

    Ctrl-C and SIGTERM wait for the end of the step, in the middle of which a network is half
    changed. Whoever asks twice does not wait, and that step is done again.

    Args:
        state: goes on from where it is.
        patches: the batches.
        recipe: of the training.
        checkpoint: written every half minute and at an interruption, not at the end; ``None``:
            nowhere.
        until_step: pause after so many steps in all.
        objective: instead of the recipe's loss.
        on_step: called with step and loss.

    Raises:
        KeyboardInterrupt: asked to stop; the state is saved.
        Diverged: the training broke down.
        InputError: the checkpoint cannot be written.
    """
    saved = time.monotonic()

    def tell(step: int, loss: float) -> None:
        nonlocal saved
        if checkpoint is not None and time.monotonic() - saved > _CHECKPOINT_SECONDS:
            state.save(checkpoint)
            saved = time.monotonic()
        if on_step is not None:
            on_step(step, loss)

    with stop_wish() as wish:
        try:
            train(
                state,
                patches,
                recipe,
                until_step,
                objective=objective,
                on_step=tell,
                pause=lambda: wish.asked,
            )
            if wish.asked:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            if checkpoint is not None and state.step and not wish.insists:
                state.save(checkpoint)
            raise
