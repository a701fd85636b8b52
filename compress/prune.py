"""Structured pruning to a budget: a network in, a smaller network of the same space out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from compress.distill import Teaching
from compress.finetune import Tuned, finetune, images_of, leave_gradients, psnr_of
from compress.importance import IMPORTANCES, NEEDS_GRADIENTS, measure
from compress.plan import FIGURES, cost_of, floor_of, plan
from compress.surgery import cut, prunable, scores_of
from compress.widths import FLOOR, Width, prunable_widths
from nas.data import Dataset
from nas.training.loop import OnStep
from nas.training.recipe import Recipe
from search_spaces.architecture import Architecture
from search_spaces.cost import Price, price
from search_spaces.errors import InputError, NotPossible
from search_spaces.network import Network

__all__ = ["Method", "Pruned", "Round", "check_budget", "prune"]


@dataclass(frozen=True, slots=True)
class Method:
    """How channels are chosen.

    Attributes:
        importance: one of `compress.importance.IMPORTANCES`.
        multiple: widths are multiples of it, but those that stay as they were.
        floor: no width falls below this share of it, above 0 and below 1.
        uniform: all widths shrink by one ratio; else one threshold on importance decides.
        rounds: the network is pruned in so many rounds, equal in ratio, fine-tuned after each.
        refit: what is left is fitted to the network's own features by least squares, where
            there are photos.
    """

    importance: str = "lamp"
    multiple: int = 4
    uniform: bool = False
    rounds: int = 1
    refit: bool = True
    floor: float = FLOOR

    def __post_init__(self) -> None:
        if self.importance not in IMPORTANCES:
            raise InputError(
                f"importance: expected one of {', '.join(IMPORTANCES)}, got {self.importance!r}"
            )
        for name in ("multiple", "rounds"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if not 0 < self.floor < 1:
            raise InputError(f"floor: expected a share above 0 and below 1, got {self.floor}")


@dataclass(frozen=True, slots=True)
class Round:
    """One round of pruning: the price after it, and PSNR-Y on the validation photos.

    ``pruned_db`` and ``tuned_db`` are None without photos or fine-tuning; ``kept`` says that
    fine-tuning made the network better, so that its weights went on.
    """

    price: Price
    pruned_db: float | None = None
    tuned_db: float | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Pruned:
    """A pruned network in evaluation mode, its prices, and how it came to be."""

    network: Network
    before: Price
    after: Price
    before_db: float | None
    rounds: tuple[Round, ...]


def check_budget(network: Network, figure: str, limit: float, method: Method | None = None) -> None:
    """Raises NotPossible for a budget that the network cannot be pruned to, with its floor."""
    _check_limit(network, prunable(network).architecture, figure, limit, method or Method())


def _check_limit(
    network: Network, arch: Architecture, figure: str, limit: float, method: Method
) -> None:
    """The same, with the architecture of the network's prunable form."""
    if figure not in FIGURES:
        raise InputError(f"expected a budget of {', '.join(FIGURES)}, got {figure}")
    own = cost_of(arch, figure)
    floor = floor_of(arch, prunable_widths(arch, method.multiple, method.floor), figure)
    if limit >= own:
        lean = "" if own == cost_of(network.architecture, figure) else " once folded"
        raise NotPossible(
            f"a budget of {limit:,.0f} {figure} is above the network's own {own:,}{lean}; "
            f"choose one from {floor:,} (its floor) to {own - 1:,}"
        )
    if limit < floor:
        raise NotPossible(
            f"a budget of {limit:,.0f} {figure} is below the network's floor of {floor:,} "
            f"({method.floor:.0%} of every width, rounded up to multiples of {method.multiple}); "
            f"choose at least that"
        )


def prune(
    network: Network,
    figure: str,
    limit: float,
    method: Method | None = None,
    *,
    dataset: Dataset | None = None,
    recipe: Recipe | None = None,
    teaching: Teaching | None = None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    on_step: OnStep | None = None,
    on_round: Callable[[Round], None] | None = None,
) -> Pruned:
    """Takes channels out until the price is just below ``limit``.

    Everything linear is folded first and splits are written as two convolutions, so the
    result is a network of the space that can be built, exported and pruned again.

    Args:
        network: it stays as it is.
        figure: what the budget limits, one of `compress.plan.FIGURES`.
        limit: at most so much.
        method: how channels are chosen.
        dataset: photos to fine-tune and validate on; taylor's gradients come from them, too.
        recipe: of the fine-tuning, ``steps`` in all rounds together; None prunes only.
        teaching: what the fine-tuned network learns from beside the photos, if anything.
        checkpoint: see `compress.finetune.finetune`: what every round trained is kept.
        device: to fine-tune on.
        on_step: called with the steps done in all rounds, and the loss.
        on_round: called after each round.

    Raises:
        InputError: a budget above the network's price or below its floor, an importance
            that needs gradients or a recipe without photos, a part that cannot be pruned.
    """
    method = method or Method()
    if dataset is None and (method.importance in NEEDS_GRADIENTS or recipe is not None):
        what = "fine-tuning" if recipe is not None else f"importance {method.importance}"
        raise InputError(f"{what} needs photos: give a folder of them as data")
    form = prunable(network)
    _check_limit(network, form.architecture, figure, limit, method)
    before_db = None if dataset is None else psnr_of(network, dataset, device)
    floors = {w.place: w for w in prunable_widths(form.architecture, method.multiple, method.floor)}
    own = cost_of(form.architecture, figure)
    shares = _steps_of_rounds(0 if recipe is None else recipe.steps, method.rounds)
    rounds: list[Round] = []
    done = 0
    for k, steps in enumerate(shares):
        goal = limit if k + 1 == len(shares) else own * (limit / own) ** ((k + 1) / len(shares))
        form = _prune_once(form, list(floors.values()), figure, goal, method, dataset, recipe)
        pruned_db = None if dataset is None else psnr_of(form, dataset, device)
        tuned: Tuned | None = None
        if recipe is not None and dataset is not None and steps:
            part = recipe.stretched(steps).replace(seed=recipe.seed + k)
            tuned = finetune(
                form, dataset, part, device=device, teaching=teaching, checkpoint=checkpoint,
                on_step=_shifted(on_step, done),
            )  # fmt: skip
            form, done = tuned.network, done + steps
        rounds.append(
            Round(price(form.architecture), pruned_db, None if tuned is None else tuned.after_db,
                  tuned is not None and tuned.kept)
        )  # fmt: skip
        if on_round is not None:
            on_round(rounds[-1])
    return Pruned(
        form, price(network.architecture), price(form.architecture), before_db, tuple(rounds)
    )


def _prune_once(
    form: Network,
    floors: Sequence[Width],
    figure: str,
    goal: float,
    method: Method,
    dataset: Dataset | None,
    recipe: Recipe | None,
) -> Network:
    least = {width.place: width.least for width in floors}
    widths = [
        replace(width, least=max(width.least, min(width.now, least.get(width.place, width.now))))
        for width in prunable_widths(form.architecture, method.multiple, method.floor)
    ]
    gradients = None
    if method.importance in NEEDS_GRADIENTS:
        assert dataset is not None
        gradients = partial(leave_gradients, dataset, recipe or Recipe())
    scores, importance = scores_of(form, widths, measure(method.importance), gradients)
    chosen = plan(form.architecture, widths, scores, figure, goal, uniform=method.uniform)
    images = None if dataset is None or not method.refit else images_of(form, dataset)
    smaller = cut(form, importance, chosen.architecture, images)
    if not chosen.cost < cost_of(form.architecture, figure):
        raise NotPossible(f"pruning did not lower the {figure}: {chosen.cost:,} is the price still")
    return smaller


def _steps_of_rounds(steps: int, rounds: int) -> list[int]:
    """Half of the steps after the last round, the other half between the others."""
    if rounds == 1:
        return [steps]
    each = steps // 2 // (rounds - 1)
    return [each] * (rounds - 1) + [steps - each * (rounds - 1)]


def _shifted(on_step: OnStep | None, done: int) -> OnStep | None:
    if on_step is None:
        return None
    return lambda step, loss: on_step(done + step, loss)
