"""A preset's depth, widths, scale and colours as the shapes of weights say them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any

import torch

from search_spaces.architecture import Architecture
from search_spaces.catalog import preset
from search_spaces.errors import InputError
from search_spaces.inner import TRUNK, Place
from search_spaces.network import build

__all__ = ["SCALES", "Shapes", "differing", "exact", "fitted", "other_than", "resized", "shapes"]

SCALES = (2, 3, 4)

Shapes = Mapping[str, tuple[int, ...]]
"""Our name of a tensor -> its shape."""

_BLOCK = re.compile(r"blocks\.(\d+)\.")
_PARTS = ("stem", "blocks", "fusion", "upsampler")

_Plain = dict[str, Any]
_Sizes = dict[tuple[str, int], int]


@lru_cache(maxsize=512)
def shapes(architecture: Architecture) -> Shapes:
    """Those of the weights of a network."""
    # On the meta device a network has shapes but neither values nor memory.
    with torch.device("meta"):
        state = build(architecture).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def differing(name: str, found: Shapes) -> int:
    """How many names of weights only one of preset and shapes has; of equal blocks, one counts."""
    plain = preset(name).to_dict()
    return len({weight for weight, _ in _sizes(_sketch(plain))} ^ _sketched(found, plain).keys())


def exact(name: str, found: Shapes, scales: Iterable[int] = SCALES) -> list[Architecture]:
    """The preset at each of the scales at which its weights have these shapes."""
    if differing(name, found) or len(preset(name).blocks) != _depth(found):
        return []
    return [arch for scale in scales if shapes(arch := preset(name, scale)) == found]


def fitted(name: str, found: Shapes, scales: Iterable[int] = SCALES) -> list[Architecture]:
    """Those of `resized` whose weights have exactly these shapes."""
    if differing(name, found):
        return []
    return [arch for arch in resized(name, found, scales) if shapes(arch) == found]


def resized(name: str, found: Shapes, scales: Iterable[int] = SCALES) -> list[Architecture]:
    """The preset with the depth and widths that the shapes say, in each scale and in both colours.

    A width is an option that some size follows from, and from that option alone: how sizes follow
    from it is seen from the preset with the option doubled. Options that are equal to the trunk's
    width go along with it. What the shapes do not say stays as the preset has it.
    """
    plain = _widened(preset(name).to_dict(), found)
    if len(plain["blocks"]) == 1 and (depth := _depth(found)):
        plain["blocks"] = [{**plain["blocks"][0], "repeat": depth}]
    colors = sorted((1, 3), key=lambda count: count != plain.get("colors", 3))
    every = (_architecture({**plain, "colors": c, "scale": s}) for c, s in product(colors, scales))
    return [arch for arch in every if arch is not None]


def other_than(name: str, arch: Architecture) -> str:
    """What of the network the preset has otherwise, in a few words: ``channels 26``."""
    same = preset(name, arch.scale)
    usual = dict(_numbers(same.to_dict()))
    changed = [
        f"{'.'.join(step for step in place if isinstance(step, str)).removeprefix('blocks.')} {now}"
        for place, now in _numbers(arch.to_dict())
        if usual.get(place) != now and place != ("colors",)
    ]
    if arch.colors != same.colors:
        changed.append("luma" if arch.colors == 1 else "RGB")
    return ", ".join(dict.fromkeys(changed))


def _depth(found: Shapes) -> int:
    numbers = [int(match[1]) for name in found if (match := _BLOCK.match(name))]
    return max(numbers, default=-1) + 1


def _sketch(plain: _Plain) -> _Plain:
    """With one block of all that are alike: building costs a tenth."""
    if len(plain["blocks"]) != 1:
        return plain
    block = plain["blocks"][0]
    options = {"kind": block} if isinstance(block, str) else block
    return {**plain, "blocks": [{**options, "repeat": 1}]}


def _sketched(found: Shapes, plain: _Plain) -> Shapes:
    """The shapes that a sketch of the same network has, too."""
    if len(plain["blocks"]) != 1:
        return found
    numbers = {name: match[1] for name in found if (match := _BLOCK.match(name))}
    return {name: shape for name, shape in found.items() if numbers.get(name, "0") == "0"}


def _widened(plain: _Plain, found: Shapes) -> _Plain:
    """A sketch with the widths that are found, as far as sizes tell them."""
    found, plain = _sketched(found, plain), _sketch(plain)
    base, trunk = _sizes(plain), plain["channels"]
    inner = [(at, n) for part in _PARTS for at, n in _numbers(plain.get(part), (part,))]
    knobs = [([TRUNK, *(place for place, now in inner if now == trunk)], trunk)]
    knobs += [([place], now) for place, now in inner if now != trunk and place[-1] != "repeat"]
    grown = [_moved(base, _sizes(_put(plain, places, 2 * now))) for places, now in knobs]
    others = [{"scale": 2 if plain["scale"] != 2 else 3}, {"colors": 4 - plain.get("colors", 3)}]
    fixed = {size for other in others for size in _moved(base, _sizes({**plain, **other}))}
    for k, (places, now) in enumerate(knobs):
        tied = fixed.union(*(sizes for j, sizes in enumerate(grown) if j != k))
        for (name, axis), growth in grown[k].items():
            # A fusion's sizes follow from the depth as well.
            told = not name.startswith("fusion.") and axis < len(found.get(name, ()))
            if told and (name, axis) not in tied:
                more = (found[name][axis] - base[name, axis]) * now
                if more % growth == 0 and now + more // growth > 0:
                    plain = _put(plain, places, now + more // growth)
                break
    return plain


def _architecture(plain: _Plain) -> Architecture | None:
    try:
        return Architecture.from_dict(plain)
    except InputError:
        return None


def _sizes(plain: _Plain) -> _Sizes:
    """The size of every weight along each axis; none where the data make no network."""
    arch = _architecture(plain)
    found = shapes(arch) if arch is not None else {}
    return {(name, axis): n for name, shape in found.items() for axis, n in enumerate(shape)}


def _moved(base: _Sizes, other: _Sizes) -> _Sizes:
    """By how much the sizes differ that do; none where it is another sort of network."""
    if base.keys() != other.keys():
        return {}
    return {size: other[size] - n for size, n in base.items() if other[size] != n}


def _numbers(value: Any, at: Place = ()) -> Iterator[tuple[Place, int]]:
    """Every whole number in plain data, and where it stands."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, (*at, key))
    elif isinstance(value, list):
        for key, item in enumerate(value):
            yield from _numbers(item, (*at, key))
    elif type(value) is int:
        yield at, value


def _put(value: Any, places: list[Place], number: int) -> Any:
    """The plain data with another number at these places."""
    if () in places:
        return number
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    changed = {}
    for key, item in pairs:
        inside = [place[1:] for place in places if place[0] == key]
        changed[key] = _put(item, inside, number) if inside else item
    return changed if isinstance(value, Mapping) else list(changed.values())
