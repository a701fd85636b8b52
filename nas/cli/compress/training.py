"""What the commands that fine-tune share: recipe, photos, teachers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search_spaces.errors import InputError

if TYPE_CHECKING:
    from compress.distill import Lessons, Teaching
    from nas.data import Dataset
    from nas.training.recipe import Recipe
    from search_spaces import Network

__all__ = ["dataset_of", "recipe_of", "teaching_of"]


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


def dataset_of(
    scale: int, data: Path | None, validation: Path | None, recipe: Recipe | None
) -> Dataset:
    """The photos to train and to validate on; those that come along where none are given."""
    from nas.data import load_dataset
    from nas.data.split import LR_SIZE

    size = LR_SIZE if recipe is None else recipe.lr_size
    return load_dataset(scale, data=data, validation=validation, lr_size=size)


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
