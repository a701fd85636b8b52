"""The least that a network of a space costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from math import inf
from typing import Any

from search_spaces.activations import ACTIVATIONS
from search_spaces.architecture import Architecture
from search_spaces.blocks import BLOCKS
from search_spaces.dimension import Dimension, Label
from search_spaces.errors import InputError
from search_spaces.space import Point, Space

__all__ = ["descend", "smallest"]

Cost = Callable[[Architecture], float]
Labels = Mapping[str, Label]

_PARTS = {"stem", "blocks", "fusion", "upsampler", "image_skip", "activation"}
_WITHOUT_LAYERS = {"mean", "value_range", "restored"}


def smallest(space: Space, cost: Cost, scale: int, *, enough: float = -inf) -> Point:
    """The point of the network of least cost, for costs that are sums over parts, as prices are.

    Proved, not searched for: what decides about one part is tried in all combinations, with the
    other parts as they are, which in a sum change nothing about which one is least. Two things
    are taken for granted: costs do not fall as filling dimensions grow (as `Space.fill` does),
    and a block without an optional part costs no more than with one (as the tests of all blocks
    make sure).

    Args:
        space: of the network.
        cost: what it costs.
        scale: of the network.
        enough: any network that costs no more will do.
    """
    best = space.completed(_without_slopes(space))
    least = cost(space.architecture(space.least(best), scale))
    for dimensions in _apart(space):
        names = {d.name for d in dimensions}
        for labels in space.combinations([_barest(space, d) for d in dimensions]):
            if least <= enough:
                return space.least(best)
            candidate = {**{k: v for k, v in best.items() if k not in names}, **labels}
            # Settings that do not go together make no network.
            with suppress(InputError):
                arch = space.architecture(space.least(candidate), scale)
                if (value := cost(arch)) < least:
                    best, least = candidate, value
    return space.least(best)


def descend(space: Space, cost: Cost, scale: int) -> Point:
    """The point of a network of little cost, whatever sort of cost it is.

    No other choice in one dimension costs less; it need not be the least of all.
    """
    labels = space.completed({})
    least, improved = cost(space.architecture(space.least(labels), scale)), True
    while improved:
        improved = False
        for d in space.dimensions:
            for label in d.labels if d.name in labels else ():
                candidate = space.completed({**labels, d.name: label})
                with suppress(InputError):
                    arch = space.architecture(space.least(candidate), scale)
                    if (value := cost(arch)) < least:
                        labels, least, improved = candidate, value, True
    return space.least(labels)


def _apart(space: Space) -> list[list[Dimension]]:
    """The choices in groups of which no two have a say in the same part of a network."""
    blocks = space.template["blocks"]
    groups = [_choices(space, value) for key, value in space.template.items() if key != "blocks"]
    groups += [_choices(space, b) for b in (blocks if isinstance(blocks, list) else [blocks])]
    # A width is every part's; of `use`, which merges anything in, nobody knows whose.
    shared = space.template.keys() - _PARTS - _WITHOUT_LAYERS
    if any(_choices(space, space.template[key]) for key in shared):
        groups = [set[str]().union(*groups)]
    if _choices_count(space, blocks):
        # How many blocks there are decides what a fusion costs.
        groups.append(_choices(space, [blocks, space.template.get("fusion")]))
    apart: list[set[str]] = []
    for group in groups:
        touching = [one for one in apart if one & group]
        apart = [one for one in apart if not one & group] + [group.union(*touching)]
    return [[d for d in space.dimensions if d.name in group] for group in apart if group]


def _without_slopes(space: Space) -> dict[str, Label]:
    """The first activation that learns nothing: in no part does another one cost less."""
    for d in space.dimensions:
        if space.template.get("activation") == f"${d.name}":
            for label, value in d.choices.items():
                with suppress(InputError):
                    if not list(ACTIVATIONS.layers(ACTIVATIONS.parse(value), 1)):
                        return {d.name: label}
    return {}


def _choices(space: Space, value: Any) -> set[str]:
    """The choices that have a say in what a value of the template becomes."""
    reached = space.reached(value)
    return {d.name for d in space.dimensions if d.choices and d.name in reached}


def _choices_count(space: Space, blocks: Any) -> bool:
    """Whether choices may decide how many blocks there are."""
    if not isinstance(blocks, list):
        return bool(_choices(space, blocks))
    plain = [{**b, "repeat": 1} if isinstance(b, Mapping) else b for b in blocks]
    reached = space.reached(blocks)
    inside = [d.choices for d in space.dimensions if d.name in reached]
    said = [b.get("repeat") for b in blocks if isinstance(b, Mapping)]
    hidden = sum(key == "repeat" for key, _ in _entries([plain, inside])) > len(said)
    return hidden or bool(_choices(space, said))


def _barest(space: Space, d: Dimension) -> Dimension:
    """The dimension with its null alone, where null leaves an optional part of a block out."""
    null = next((label for label, value in d.choices.items() if value is None), None)
    if null is None or any(null in other.when.get(d.name, ()) for other in space.dimensions):
        return d
    everything = [space.template, [other.choices for other in space.dimensions]]
    places = {key for key, value in _entries(everything) if f"${d.name}" in (value, *_items(value))}
    fragments = [value for value in d.choices.values() if isinstance(value, Mapping)]
    for part in BLOCKS.optional_parts():
        # As its value, or merged in with what says more of it: attention, attention_place.
        own = all(key.startswith(part) for fragment in fragments for key in fragment)
        merged = own and len(fragments) == len(d.choices) - 1
        if places <= {part} or (places == {"use"} and merged):
            return replace(d, choices={null: None})
    return d


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key), item
            yield from _entries(item)
    for item in _items(value):
        yield from _entries(item)
