"""What the commands that fine-tune share: recipe, photos, teachers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nas.cli.lines import one_line, say
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from compress.distill import Lessons, Teaching
    from nas.data import Dataset
    from nas.data.places import PhotoPlaces
    from nas.training.recipe import Recipe
    from search_spaces import Network

__all__ = ["dataset_of", "places_of", "recipe_of", "teaching_of"]


def recipe_of(
    profile: str, steps: int | None, learning_rate: float | None, seed: int
) -> Recipe | None:
    """The profile's recipe with what was given changed; None for no steps at all.

    All step sizes are in proportion to ``learning_rate``, which is Adam's.
    """
    from nas.training.recipe import profile as named

    recipe = named(profile)
    if steps is not None and steps < 0:
        raise InputError(f"--steps: expected 0 or more, got {steps}")
    if steps == 0:
        return None
    recipe = recipe if steps is None else recipe.stretched(steps)
    if learning_rate is not None:
        recipe = recipe.slowed(learning_rate / recipe.learning_rate)
    return recipe.replace(seed=seed)


def places_of(networks: Sequence[Path | str], given: PhotoPlaces) -> PhotoPlaces:
    """Where the photos are: as given, else those that the networks of these names were made on.

    What is taken over is said, a line each.
    """
    from nas.cli.inherited import inherited_photos

    places, notes = inherited_photos(networks, given)
    for line in notes:
        say(one_line(line))
    return places


def dataset_of(scale: int, places: PhotoPlaces, recipe: Recipe | None) -> Dataset:
    """The photos to train and to validate on; what the baseline reaches there is said."""
    from nas.cli.train_progress import photos_line
    from nas.data import load_dataset
    from nas.data.split import LR_SIZE
    from nas.evaluate.baseline import baseline
    from nas.evaluate.validate import bicubic_quality

    size = LR_SIZE if recipe is None else recipe.lr_size
    photos = load_dataset(scale, places, lr_size=size)
    judging = {next(iter(photos.sets)): bicubic_quality(photos.validation, scale).psnr_y_db}
    say(one_line(photos_line(photos.name, len(photos.train), baseline(scale), judging)))
    return photos


def teaching_of(
    student: Network,
    teachers: Sequence[Path],
    weights: Sequence[float],
    lessons: Lessons,
) -> Teaching | None:
    """The teachers' networks, checked against the student; None where there are none.

    Raises:
        InputError: a teacher without weights or of another scale, or bad weights.
    """
    from compress.distill import Teaching
    from nas.networks import trained_network

    if not teachers:
        if weights:
            raise InputError("--teacher-weight: there is no --teacher to weigh")
        return None
    opened = tuple(trained_network(path) for path in teachers)
    teaching = Teaching(opened, lessons, tuple(weights) or None)
    teaching.check(student)
    return teaching
