"""The best networks of a search's front, trained fully: ``nas search --train-best N``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from nas.explore.settings import SearchSettings
    from nas.run import Run
    from nas.training.schedule import FullRecipe

__all__ = ["check_training", "train_best"]


def check_training(count: int | None, recipe: str, steps: int | None, scale: int) -> None:
    """Raises InputError for options that make no sense, before the search begins."""
    if count is None:
        return
    if count < 1:
        raise InputError(f"--train-best: expected 1 or more networks, got {count}")
    _full_recipe(recipe, steps, scale)


def train_best(
    run: Run,
    settings: SearchSettings,
    count: int,
    recipe: str,
    steps: int | None,
    *,
    json_lines: bool = False,
) -> None:
    """Trains the ``count`` best networks of the front fully, into RUN/trained/NUMBER.

    They go on from the search's weights, learn from its photos and are judged on its validation
    photos. Networks that are trained already are passed over; one that was stopped goes on.

    Raises:
        InputError: a recipe that does not fit the photos, or a file that cannot be written.
    """
    from nas.cli.inherited import start_of
    from nas.cli.train_progress import make_watcher
    from nas.evaluate.precision import best_device
    from nas.explore.trainer import dataset_of
    from nas.training.session import train_fully
    from nas.training.settings import TrainSettings
    from search_spaces import Architecture

    full = _full_recipe(recipe, steps, settings.scale)
    # As the search read them, so that its split is the same one; then those that are large enough.
    photos = dataset_of(settings).for_patches(full.lr_size)
    device = str(best_device(settings.device))
    for record in run.leaders(count):
        folder = run.folder / "trained" / str(record.number)
        began = start_of(run, record, folder)
        wanted = TrainSettings(
            Architecture.from_dict(record.architecture), full, photos, folder, began.init,
            device=device, command=" ".join(["nas", *sys.argv[1:]]),
            places=settings.places, proxy=began.proxy,
            notes=(began.note,), teacher=full.teacher,
        )  # fmt: skip
        with make_watcher(json_lines) as watcher:
            train_fully(wanted, watcher)


def _full_recipe(recipe: str, steps: int | None, scale: int) -> FullRecipe:
    from nas.training.schedule import load_full_recipe

    full = load_full_recipe(recipe, scale)
    return full if steps is None else full.stretched(steps)
