"""What a degradation is told, and where it takes its chances from."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias, TypeVar

import numpy as np
from pydantic import AfterValidator, BeforeValidator

__all__ = ["Chance", "Dice", "Range", "Weights", "among", "within"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dice:
    """The chances of one image, and what came of them.

    Attributes:
        rng: all chances are taken from it.
        lr_size: height and width of the LR that is being made.
        said: what was drawn, for people: ``["blur 1.3", "JPEG 46"]``.
    """

    rng: np.random.Generator
    lr_size: tuple[int, int]
    said: list[str] = field(default_factory=list)

    def between(self, limits: tuple[float, float]) -> float:
        """A number between two, uniformly."""
        low, high = limits
        return low if low == high else float(self.rng.uniform(low, high))

    def whole(self, limits: tuple[float, float], step: int = 1) -> int:
        """A whole number from the first to the second, both included, uniformly."""
        low, high = (int(limit) for limit in limits)
        return low + step * int(self.rng.integers((high - low) // step + 1))

    def chance(self, share: float) -> bool:
        """Yes in this share of all cases, 0 to 1."""
        return share > 0 and (share >= 1 or bool(self.rng.random() < share))

    def one_of(self, things: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of these, by their weights."""
        if len(things) == 1:
            return things[0]
        ends = np.cumsum(weights or [1.0] * len(things))
        at = int(np.searchsorted(ends, self.rng.random() * ends[-1], side="right"))
        return things[min(at, len(things) - 1)]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _pair(given: object) -> object:
    both = [given, given] if _number(given) else given
    if not isinstance(both, list | tuple) or len(both) != 2 or not all(map(_number, both)):
        raise ValueError(f"expected a number, or [least, most], got {given!r}")
    if both[0] > both[1]:
        raise ValueError(f"expected [least, most], got {given!r}")
    return both


def _weights(given: object) -> object:
    several = {given: 1.0} if isinstance(given, str) else given
    if isinstance(several, list | tuple):
        several = dict.fromkeys(several, 1.0)
    if not isinstance(several, Mapping) or not several:
        raise ValueError(f"expected a name, or weights of several, got {given!r}")
    for name, weight in several.items():
        if not _number(weight) or weight <= 0:
            raise ValueError(f"expected a weight above 0 of {name}, got {weight!r}")
    return several


def among(known: Collection[str]) -> AfterValidator:
    """The names of `Weights` are some of these."""

    def check(weights: dict[str, float]) -> dict[str, float]:
        for name in weights:
            if name not in known:
                raise ValueError(f"expected some of {', '.join(known)}, got {name!r}")
        return weights

    return AfterValidator(check)


def within(least: float, most: float, *, odd: bool = False) -> AfterValidator:
    """Both ends of a `Range` are in these limits, and whole odd numbers if so wanted."""

    def check(pair: tuple[float, float]) -> tuple[float, float]:
        if not (least <= pair[0] and pair[1] <= most):
            raise ValueError(f"expected {least:g} to {most:g}, got {list(pair)}")
        if odd and any(end % 2 != 1 for end in pair):
            raise ValueError(f"expected odd numbers, got {list(pair)}")
        return pair

    return AfterValidator(check)


def _share(given: object) -> object:
    if not _number(given):
        raise ValueError(f"expected a number from 0 to 1, got {given!r}")
    return given


def _in_unit(share: float) -> float:
    if not 0 <= share <= 1:
        raise ValueError(f"expected a number from 0 to 1, got {share:g}")
    return share


Range: TypeAlias = Annotated[tuple[float, float], BeforeValidator(_pair)]
"""The least and the most of what is drawn; a single number is both."""

Weights: TypeAlias = Annotated[dict[str, float], BeforeValidator(_weights)]
"""Names of what is drawn from, with their weights; a name or a list: all the same."""

Chance: TypeAlias = Annotated[float, BeforeValidator(_share), AfterValidator(_in_unit)]
"""0 to 1."""
