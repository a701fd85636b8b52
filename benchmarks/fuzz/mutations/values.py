"""Values that no file of ours should hold, and plain data with some of them in it."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

__all__ = ["broken_tree", "places_in", "strange"]

_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 255, 65_536, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, 2**63,
    -(2**63), 2**64, 10**30, -(10**30), 10**400, 0.5, -0.0, -1.5, 1e-320, 1e308, float("nan"),
    float("inf"), float("-inf"), "", " ", "x", "nan", "inf", "-1", "1e999", "null", "yes",
    "\n", "a\nb", "\t", "\x00", "\x1b[31mred", "\u202e", "\ufeff", "é" * 40, "😀",
    "x" * 10_000, "../../x", "/", ".", "-", "--help", "%s%n", "{}", "{x}", "{0.__class__}", "$x",
    "{block.__class__}", "\\", "'", '"', "`touch canary`", "$(touch canary)", "nan,inf",
)  # fmt: skip


def strange(rng: random.Random) -> Any:
    """A value of any type: most often a scalar, also nested, long or very deep ones."""
    kind = rng.random()
    if kind < 0.72:
        return rng.choice(_SCALARS)
    if kind < 0.80:
        return [rng.choice(_SCALARS) for _ in range(rng.choice((0, 1, 2, 5)))]
    if kind < 0.88:
        return {
            str(rng.choice(_SCALARS))[:40]: rng.choice(_SCALARS) for _ in range(rng.randint(0, 3))
        }
    if kind < 0.92:
        return [rng.choice(_SCALARS)] * rng.choice((300, 5_000))
    deep: Any = rng.choice(_SCALARS)
    for _ in range(rng.choice((2, 20, 90))):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    return deep


def places_in(tree: Any) -> list[tuple[Any, Any]]:
    """(container, key or index) of everything in nested mappings and lists."""
    found: list[tuple[Any, Any]] = []
    keys = (
        list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    )
    for key in keys:
        found.append((tree, key))
        found += places_in(tree[key])
    return found


def broken_tree(rng: random.Random, tree: Any) -> tuple[Any, str]:
    """A copy of plain data after one to three of the ways below, and which those were."""
    tree = copy.deepcopy(tree)
    told = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = places_in(tree)
        if not places:
            return strange(rng), "all replaced"
        holder, key = rng.choice(places)
        # What is nearly right comes farthest.
        way = rng.choice(("changed a little", "changed a little", *_WAYS))
        told.append(f"{way}: {str(key)[:40]}")
        _WAYS[way](rng, holder, key, places)
    if rng.random() < 0.03:
        return strange(rng), "all replaced"
    return tree, "; ".join(told)


Way = Callable[[random.Random, Any, Any, list[tuple[Any, Any]]], None]


def _replace(rng: random.Random, holder: Any, key: Any, places: Any) -> None:
    holder[key] = strange(rng)


def _nudge(rng: random.Random, holder: Any, key: Any, places: Any) -> None:
    """A near value of the same type, which may well be valid."""
    value = holder[key]
    if isinstance(value, bool) or value is None:
        holder[key] = not value
    elif isinstance(value, int):
        near = (value + 1, value - 1, value + 4, value // 2, value * 2, value * 4)
        holder[key] = rng.choice((*near, -value, value * 1000, float(value % 10**9)))
    elif isinstance(value, float):
        holder[key] = rng.choice((value * 2, -value, value / 1e9, value * 1e9, value // 1))
    elif isinstance(value, str):
        holder[key] = rng.choice((value + "x", value[:-1], value.upper(), f" {value} ", value * 3))
    elif isinstance(value, list):
        holder[key] = rng.choice((value + value, value[:-1], value[::-1], [value]))
    else:
        holder[key] = [value]


def _remove(rng: random.Random, holder: Any, key: Any, places: Any) -> None:
    del holder[key]


def _rename(rng: random.Random, holder: Any, key: Any, places: Any) -> None:
    if isinstance(holder, dict):
        new = rng.choice((f"{key}x", str(key)[:-1], str(key).upper(), "", "a b", "\x1b", 0, None))
        holder[new] = holder.pop(key)
    else:
        holder.insert(rng.randint(0, len(holder)), holder[key])


def _swap(rng: random.Random, holder: Any, key: Any, places: list[tuple[Any, Any]]) -> None:
    other, there = rng.choice(places)
    holder[key] = copy.deepcopy(other[there])


def _add(rng: random.Random, holder: Any, key: Any, places: Any) -> None:
    if isinstance(holder, dict):
        holder[rng.choice(("extra", "name", "kind", "when", "use", "scale", "<<"))] = strange(rng)
    else:
        holder.append(strange(rng))


_WAYS: dict[str, Way] = {
    "replaced": _replace,
    "changed a little": _nudge,
    "removed": _remove,
    "renamed": _rename,
    "filled from elsewhere": _swap,
    "something added": _add,
}
