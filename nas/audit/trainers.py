"""The trainers of an audit: the run's photos and recipe, for longer and with other seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from nas.audit.settings import AuditSettings
from nas.explore.trainer import Trainer
from search_spaces import Architecture
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.run import Run
    from nas.training.recipe import Recipe

__all__ = ["AuditTrainer", "TrainerOf", "make_trainers", "proxy_recipe"]


class AuditTrainer(Trainer, Protocol):
    """Trains networks, and scores them without training."""

    def scores(self, architecture: Architecture) -> Mapping[str, float]:
        """The network's zero-cost scores by name."""


TrainerOf = Callable[[int], AuditTrainer]
"""The trainer for a seed."""


def proxy_recipe(run: Run) -> Recipe:
    """How the run trains its networks.

    Raises:
        InputError: not said in run.yaml, or not to be made longer.
    """
    from nas.training.recipe import Recipe

    values: Any = run.about["identity"].get("recipe")
    try:
        recipe = Recipe.model_validate(values)
    except ValueError:
        raise InputError(f"{run.folder / 'run.yaml'}: identity: expected a recipe") from None
    if recipe.schedule != "constant":
        raise InputError(
            f"{run.folder}: its recipe's step size follows the schedule {recipe.schedule!r}; an "
            f"audit needs one that can be made longer: constant"
        )
    return recipe


def make_trainers(run: Run, recipe: Recipe, steps: int, settings: AuditSettings) -> TrainerOf:
    """A trainer on the run's photos for each seed; photos are read when the first one is needed.

    The trainers raise InputError where the photos are not those of the run.
    """
    identity, places = run.about["identity"], run.photo_places

    @cache
    def dataset() -> Any:
        from nas.data import load_dataset

        found = load_dataset(
            identity["scale"], places.moved(settings.moved), lr_size=recipe.lr_size
        )
        if found.fingerprint != identity["data_fingerprint"]:
            raise InputError(
                f"{run.folder}: its networks were trained on other photos ({identity['data']}) "
                f"than these ({found.name}); name the folders with --data, --lr, --val and --val-lr"
            )
        return found

    @cache
    def trainer(seed: int) -> AuditTrainer:
        from nas.evaluate.precision import best_device
        from nas.explore.trainer import NetworkTrainer

        device = str(best_device(settings.device))
        longer = recipe.replace(steps=steps, seed=seed)
        return NetworkTrainer(dataset(), longer, device=device)

    return trainer
