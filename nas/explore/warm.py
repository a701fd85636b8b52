"""Warm start: the front of an earlier run, as points of this search's space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from nas.explore.propose import fixed_parameters
from nas.run import open_run
from search_spaces import Architecture, price
from search_spaces.dimension import Label
from search_spaces.errors import InputError
from search_spaces.space import Point, Space

if TYPE_CHECKING:
    from nas.explore.settings import SearchSettings
    from nas.latency.meter import Meter

__all__ = ["WarmStart", "point_of", "warm_starts"]

# Of choices that the earlier run did not have, no more combinations than this are tried.
_MOST_COMBINATIONS = 64


@dataclass(frozen=True, slots=True)
class WarmStart:
    """A network of an earlier run.

    Attributes:
        source: ``"run:NAME/NUMBER"``.
        parameters: the study's parameters at which it is proposed; ``None`` where it cannot be.
        note: why not, one line, else ``""``.
    """

    source: str
    parameters: Mapping[str, Label] | None
    note: str = ""


def warm_starts(settings: SearchSettings, meter: Meter) -> Iterator[WarmStart]:
    """The networks on the fronts of the runs that the settings name, best PSNR first.

    Raises:
        InputError: a folder without a run, or this search's own.
    """
    for folder in settings.warm_start:
        if folder.resolve() == settings.run.resolve():
            raise InputError(f"warm start: {folder} is this run itself; give an earlier one")
        run = open_run(folder)
        front = run.front_records()
        trials = run.opened_study().get_trials(deepcopy=False)
        for record in front:
            source = f"run:{folder.resolve().name}/{record.number}"
            plain = {**record.architecture, "scale": settings.scale}
            yield _warm(source, plain, trials[record.number].params, settings, meter)


def point_of(
    space: Space, architecture: Architecture, known: Mapping[str, Any] | None = None
) -> Point | None:
    """The point of a space at which an architecture lies; ``None`` where none is found.

    Args:
        space: where to look; its prices must not fall as filling dimensions grow.
        architecture: what to look for.
        known: choices to be taken as given where the space has them.
    """
    filling = sorted(space.filling, key=lambda d: len(d.grid))
    combinations = _labels(space, dict(known or {}), {})
    for labels in islice(combinations, _MOST_COMBINATIONS):
        for values in product(*(d.grid for d in filling[:-1])):
            point: dict[str, Label] = dict(labels)
            point.update((d.name, value) for d, value in zip(filling, values, strict=False))
            found = _filled(space, point, filling[-1].name, filling[-1].grid, architecture)
            if found is not None:
                return found
    return None


def _warm(
    source: str,
    plain: dict[str, Any],
    parameters: Mapping[str, Any],
    settings: SearchSettings,
    meter: Meter,
) -> WarmStart:
    try:
        architecture = Architecture.from_dict(plain)
    except InputError as error:
        # Of a part that is not loaded, it may be: not written down, the next start looks again.
        return WarmStart(source, None, f"{source} is left out: {error}")
    over = [name for name, excess in meter.excess(architecture).items() if excess > 0]
    if over:
        return WarmStart(source, None, f"{source} is left out: over the budget for {over[0]}")
    space = settings.space
    point = point_of(space, architecture, parameters)
    fixed = None if point is None else fixed_parameters(space, point, settings.scale, meter)
    if fixed is None:
        return WarmStart(source, None, f"{source} is left out: not in space {space.name!r}")
    return WarmStart(source, fixed)


def _labels(
    space: Space, known: Mapping[str, Any], labels: dict[str, Label]
) -> Iterator[dict[str, Label]]:
    """The choices as far as they are known, with every combination of the others."""
    for d in space.active(labels):
        if d.choices and d.name not in labels:
            fitting = [label for label in d.labels if label == known.get(d.name)]
            for label in fitting or d.labels:
                yield from _labels(space, known, {**labels, d.name: label})
            return
    yield labels


def _filled(
    space: Space, point: dict[str, Label], name: str, grid: tuple[int, ...], wanted: Architecture
) -> Point | None:
    """Bisection along the last filling dimension for the wanted number of parameters."""
    target, low, high = price(wanted).params, 0, len(grid) - 1
    while low <= high:
        middle = (low + high) // 2
        candidate = {**point, name: grid[middle]}
        found = space.architecture(candidate, wanted.scale)
        if found == wanted:
            return candidate
        if price(found).params < target:
            low = middle + 1
        else:
            high = middle - 1
    return None
