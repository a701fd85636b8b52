"""Whether a search space holds together, told when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search_spaces.dimension import Dimension, Label
from search_spaces.errors import InputError

if TYPE_CHECKING:
    from search_spaces.space import Space

__all__ = ["check_space"]


def check_space(space: Space) -> None:
    """Makes sure that every dimension has an effect and every label, and point, makes a network.

    Raises:
        InputError: what does not hold, by its key.
    """
    if not space.filling:
        raise InputError("dimensions: expected at least one with 'fill', found none")
    used = space.reached(space.template)
    for d in space.dimensions:
        if d.name not in used:
            raise InputError(f"{d.name}: has no effect: say ${d.name} where it should stand")
    space.architecture(space.least(space.completed({})))
    for d in space.dimensions:
        for label in d.labels:
            labels = space.completed({**_satisfying(d, space.dimensions), d.name: label})
            space.architecture(space.least(labels))
    for name, point in space.starting_points.items():
        try:
            space.architecture(point)
        except InputError as error:
            raise InputError(f"starting_points: {name}: {error}") from None


def _satisfying(d: Dimension, dimensions: Sequence[Dimension]) -> dict[str, Label]:
    """Choices with which a dimension counts."""
    labels: dict[str, Label] = {}
    by_name = {other.name: other for other in dimensions}
    for name, allowed in d.when.items():
        labels |= _satisfying(by_name[name], dimensions)
        labels[name] = allowed[0]
    return labels
