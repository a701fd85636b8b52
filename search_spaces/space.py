"""Search spaces as data: dimensions, their conditions, and a template that they fill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.architecture import Architecture
from search_spaces.dimension import Dimension, Label
from search_spaces.errors import InputError, nearest
from search_spaces.part import shown
from search_spaces.space_check import check_space
from search_spaces.template import Point, Template, names_in
from search_spaces.yaml_file import at_key, read_yaml

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Point", "Space"]

_FOLDER = Path(__file__).parent / "spaces"
_LUMA = "-luma"
_KEYS = ("name", "about", "dimensions", "architecture", "starting_points")


@dataclass(frozen=True)
class Space:
    """A search space: what may vary, under which conditions, and what it makes.

    ``template`` is an Architecture's plain data in which ``$name`` stands for a
    dimension's value, ``{share: x}`` for that share of ``channels`` (at least 1) and
    ``use: [...]`` for mappings that are merged in. Keys whose value is null are left out.

    Attributes:
        name: of the space.
        about: one line for people.
        dimensions: in the order in which conditions may refer to them.
        template: see above.
        starting_points: points of the space that are trained first; one that is named as a preset
            stands for it.
    """

    name: str
    about: str
    dimensions: tuple[Dimension, ...]
    template: Mapping[str, Any]
    starting_points: Mapping[str, Point]

    @staticmethod
    def names() -> list[str]:
        """The named spaces, sorted."""
        return sorted(path.stem for path in _FOLDER.glob("*.yaml"))

    @classmethod
    def load(cls, name_or_path: str | Path) -> Space:
        """A named space, with ``-luma`` behind it on luma alone, or the space in a YAML file.

        Raises:
            InputError: an unknown name, or a file with a problem: its path, line and the
                nearest valid name.
        """
        name = str(name_or_path)
        if name.endswith(_LUMA) and name.removesuffix(_LUMA) in cls.names():
            return cls.load(name.removesuffix(_LUMA)).on_luma()
        named = name in cls.names()
        path = _FOLDER / f"{name_or_path}.yaml" if named else Path(name_or_path)
        if not named and path.suffix not in (".yaml", ".yml"):
            raise InputError(
                f"unknown space {name!r}{nearest(name, cls.names())} (or a .yaml file)"
            )
        data, text = read_yaml(path)
        try:
            return cls.from_dict(data)
        except InputError as error:
            raise InputError(at_key(path, text, str(error))) from None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """The space in plain data.

        Raises:
            InputError: unknown or missing keys, a condition on a later dimension, a
                template that names an unknown dimension, or points that make no network.
        """
        for key in data:
            if key not in _KEYS:
                raise InputError(f"unknown key {key!r}{nearest(key, _KEYS)}")
        for key, kind in (("name", str), ("dimensions", dict), ("architecture", dict)):
            if not isinstance(data.get(key), kind):
                raise InputError(f"{key}: expected a {kind.__name__}, got {shown(data.get(key))}")
        dimensions: list[Dimension] = []
        for name, description in data["dimensions"].items():
            dimensions.append(Dimension.parse(str(name), description, dimensions))
        points = data.get("starting_points") or {}
        if not isinstance(points, dict) or not all(isinstance(p, dict) for p in points.values()):
            raise InputError("starting_points: expected a mapping from names to points")
        about = str(data.get("about", ""))
        space = cls(data["name"], about, tuple(dimensions), data["architecture"], points)
        check_space(space)
        return space

    def to_dict(self) -> dict[str, Any]:
        """Plain data from which ``from_dict`` makes a space of the same hash."""
        return {
            "name": self.name,
            "about": self.about,
            "dimensions": {d.name: d.to_dict() for d in self.dimensions},
            "architecture": dict(self.template),
            "starting_points": {name: dict(p) for name, p in self.starting_points.items()},
        }

    @cached_property
    def hash(self) -> str:
        """16 hex digits of everything that decides what a point means."""
        plain = [[d.to_plain() for d in self.dimensions], self.template]
        text = json.dumps(plain, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def luma(self) -> bool:
        """Whether its networks enlarge luma alone."""
        return self.template.get("colors") == 1

    def on_luma(self) -> Space:
        """The same space for networks on luma alone; colours are then enlarged bicubically."""
        return replace(self, name=f"{self.name}{_LUMA}", template={**self.template, "colors": 1})

    @property
    def filling(self) -> tuple[Dimension, ...]:
        """The dimensions that grow a network to fill a budget, in order."""
        return tuple(d for d in self.dimensions if d.grid)

    def active(self, labels: Point) -> Iterator[Dimension]:
        """The dimensions that count, given the choices; it may be fed as ``labels`` grows."""
        for dimension in self.dimensions:
            if dimension.applies(labels):
                yield dimension

    def choose(self, pick: Callable[[Dimension], Label]) -> dict[str, Label]:
        """A label of every choice that counts, as ``pick`` takes them, in order."""
        labels: dict[str, Label] = {}
        for d in self.active(labels):
            if d.choices:
                labels[d.name] = pick(d)
        return labels

    def sample(self, rng: np.random.Generator) -> dict[str, Label]:
        """The same, each drawn evenly; ``fill`` makes a point of them."""
        return self.choose(lambda d: d.labels[int(rng.integers(len(d.labels)))])

    def architecture(self, point: Point, scale: int = 4) -> Architecture:
        """The network at a point.

        Raises:
            InputError: the point lacks a dimension, or makes no valid network.
        """
        try:
            plain = Template(self.dimensions, point).resolve({"scale": scale, **self.template})
        except RecursionError:
            raise InputError("architecture: a choice refers to itself by a $name") from None
        return Architecture.from_dict(plain)

    def fill(
        self,
        labels: Point,
        fractions: Mapping[str, float],
        scale: int,
        fits: Callable[[Architecture], bool],
    ) -> Point | None:
        """The point with these choices whose filling dimensions use so much of what fits.

        Fraction f of a filling dimension is f of the way from its least value to the
        largest one with which the network still fits, the earlier ones being set and the
        later ones at their least. Prices must not fall as these dimensions grow.

        Returns:
            ``None`` where not even the smallest network with these choices fits.
        """
        point = dict(self.least(labels))
        if not fits(self.architecture(point, scale)):
            return None
        for d in self.filling:
            count = self._fitting(point, d, scale, fits)
            point[d.name] = d.grid[min(int(fractions[d.name] * count), count - 1)]
        return point

    def fractions(
        self, point: Point, scale: int, fits: Callable[[Architecture], bool]
    ) -> dict[str, float] | None:
        """The fractions with which ``fill`` gives this point; ``None`` where it does not fit."""
        if not fits(self.architecture(point, scale)):
            return None
        grown = dict(self.least(point))
        fractions = {}
        for d in self.filling:
            count = self._fitting(grown, d, scale, fits)
            fractions[d.name] = (d.grid.index(int(point[d.name])) + 0.5) / count
            grown[d.name] = point[d.name]
        return fractions

    def widened(
        self, point: Point, scale: int, fits: Callable[[Architecture], bool]
    ) -> Point | None:
        """The point at the largest width (last filling dimension) that fits.

        ``None`` where not even the narrowest network fits.
        """
        width = self.filling[-1]
        least = {**point, width.name: width.grid[0]}
        if not fits(self.architecture(least, scale)):
            return None
        widest = width.grid[self._fitting(least, width, scale, fits) - 1]
        return {**point, width.name: widest}

    def narrowed(
        self, point: Point, scale: int, fits: Callable[[Architecture], bool]
    ) -> Point | None:
        """The point at the largest width that fits, at most its own; ``None`` likewise."""
        widened, width = self.widened(point, scale, fits), self.filling[-1].name
        if widened is None:
            return None
        return {**point, width: min(int(widened[width]), int(point[width]))}

    def combinations(self, dimensions: Sequence[Dimension] = ()) -> Iterator[dict[str, Label]]:
        """Every combination of active choices, filling dimensions left out.

        Of ``dimensions``, which depend on no others, or of all.
        """
        yield from self._extend({}, [d for d in dimensions or self.dimensions if d.choices])

    @cached_property
    def size(self) -> int:
        """How many points there are (some of which may be equal networks)."""
        deciding = {name for d in self.dimensions for name in d.when}
        total = 0
        for labels in self._extend({}, [d for d in self.dimensions if d.name in deciding]):
            free = [d for d in self.active(labels) if d.choices and d.name not in deciding]
            total += prod(len(d.choices) for d in free)
        return total * prod(len(d.grid) for d in self.filling)

    def completed(self, labels: Mapping[str, Label]) -> dict[str, Label]:
        """A choice for every dimension that counts: of ``labels``, or else its first one."""
        return self.choose(lambda d: labels.get(d.name, d.labels[0]))

    def least(self, labels: Point) -> Point:
        """The point with these choices whose filling dimensions are at their least."""
        return {**labels, **{d.name: d.grid[0] for d in self.filling}}

    def reached(self, value: Any) -> set[str]:
        """The dimensions that a value of the template names, also by choices and conditions.

        Raises:
            InputError: it names one that is not there.
        """
        by_name = {d.name: d for d in self.dimensions}
        found: set[str] = set()
        waiting = names_in(value)
        while waiting:
            name = waiting.pop()
            if name not in by_name:
                raise InputError(f"unknown dimension ${name}{nearest(name, by_name)}")
            found.add(name)
            waiting |= names_in(list(by_name[name].choices.values())) - found
            waiting |= by_name[name].when.keys() - found
        return found

    def _fitting(
        self, point: Point, d: Dimension, scale: int, fits: Callable[[Architecture], bool]
    ) -> int:
        # Bisection: the first `low` grid values fit, those from `high` on do not.
        low, high = 1, len(d.grid) + 1
        while high - low > 1:
            middle = (low + high) // 2
            candidate = {**point, d.name: d.grid[middle - 1]}
            if fits(self.architecture(candidate, scale)):
                low = middle
            else:
                high = middle
        return low

    def _extend(
        self, labels: dict[str, Label], rest: list[Dimension]
    ) -> Iterator[dict[str, Label]]:
        for k, d in enumerate(rest):
            if d.applies(labels):
                for label in d.labels:
                    yield from self._extend({**labels, d.name: label}, rest[k + 1 :])
                return
        yield labels
