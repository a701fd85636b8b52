"""One dimension of a search space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from search_spaces.errors import InputError, nearest
from search_spaces.part import shown

__all__ = ["Dimension", "Label"]

Label = str | int | float | bool

_MOST_VALUES = 4096


@dataclass(frozen=True)
class Dimension:
    """A choice between values, or a number that grows to fill a budget.

    Attributes:
        name: of the dimension.
        choices: label to value; empty for a filling dimension.
        grid: the values of a filling dimension, rising; empty for a choice.
        when: the labels of earlier dimensions under which this one counts.
    """

    name: str
    choices: Mapping[Label, Any] = field(default_factory=dict)
    grid: tuple[int, ...] = ()
    when: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[Label, ...]:
        """The choices' labels, in order."""
        return tuple(self.choices)

    def applies(self, labels: Mapping[str, Label]) -> bool:
        """Whether the conditions hold under these choices."""
        return all(name in labels and labels[name] in ok for name, ok in self.when.items())

    def value(self, label: Label) -> Any:
        """What a label stands for in the template.

        Raises:
            InputError: no such choice, or a number outside the range.
        """
        known: Any = self.choices or self.grid
        # From a file, anything may stand here, what cannot be hashed too.
        if label not in tuple(known):
            expected = self.labels or f"{self.grid[0]}..{self.grid[-1]}"
            raise InputError(f"{self.name}: expected one of {expected}, got {shown(label)}")
        return self.choices[label] if self.choices else label

    def to_plain(self) -> list[Any]:
        """Everything as plain data, for the space's hash."""
        return [self.name, list(self.choices.items()), self.grid, list(self.when.items())]

    def to_dict(self) -> dict[str, Any]:
        """The description that ``parse`` makes this dimension of."""
        description: dict[str, Any] = {}
        if self.choices:
            plain = list(self.choices) == list(self.choices.values())
            description["choices"] = list(self.choices) if plain else dict(self.choices)
        else:
            step = self.grid[1] - self.grid[0] if len(self.grid) > 1 else 1
            description["fill"] = {"low": self.grid[0], "high": self.grid[-1], "step": step}
        if self.when:
            description["when"] = {name: list(labels) for name, labels in self.when.items()}
        return description

    @classmethod
    def parse(cls, name: str, description: Any, earlier: Sequence[Dimension]) -> Dimension:
        """A dimension from plain data.

        Raises:
            InputError: neither choices nor a filling range, or a bad condition.
        """
        if not isinstance(description, Mapping):
            raise InputError(f"{name}: expected a mapping with 'choices' or 'fill'")
        for key in description:
            if key not in ("choices", "fill", "when"):
                raise InputError(
                    f"{name}: unknown key {key!r}{nearest(key, ('choices', 'fill', 'when'))}"
                )
        if ("choices" in description) == ("fill" in description):
            raise InputError(f"{name}: expected either 'choices' or 'fill'")
        when = _conditions(name, description.get("when") or {}, earlier)
        if "fill" in description:
            if when:
                raise InputError(f"{name}: a dimension with 'fill' takes no condition")
            return cls(name, grid=_grid(name, description["fill"]))
        return cls(name, choices=_choices(name, description["choices"]), when=when)


def _choices(name: str, choices: Any) -> dict[Label, Any]:
    labels = list(choices) if isinstance(choices, (list, Mapping)) else []
    if not labels or not all(isinstance(label, Label) for label in labels):
        raise InputError(
            f"{name}: choices: expected a list of values or a mapping by label, "
            f"got {shown(choices)}"
        )
    if len(set(labels)) < len(labels):
        raise InputError(f"{name}: choices: expected each value once, got {shown(labels)}")
    return {label: choices[label] if isinstance(choices, Mapping) else label for label in labels}


def _grid(name: str, fill: Any) -> tuple[int, ...]:
    numbers = (
        [fill.get(key, 1) for key in ("low", "high", "step")]
        if (isinstance(fill, Mapping) and {"low", "high"} <= set(fill) <= {"low", "high", "step"})
        else []
    )
    if len(numbers) != 3 or not all(type(number) is int and number > 0 for number in numbers):
        raise InputError(f"{name}: fill: expected positive low, high and step, got {shown(fill)}")
    low, high, step = numbers
    if low > high:
        raise InputError(f"{name}: fill: expected low <= high, got {low} and {high}")
    if (high - low) // step >= _MOST_VALUES:
        raise InputError(f"{name}: fill: expected at most {_MOST_VALUES} values, got more")
    return tuple(range(low, high + 1, step))


def _conditions(name: str, when: Any, earlier: Sequence[Dimension]) -> dict[str, tuple[Label, ...]]:
    if not isinstance(when, Mapping):
        raise InputError(f"{name}: when: expected a mapping from dimension to labels")
    known = {dimension.name: dimension for dimension in earlier}
    conditions = {}
    for other, allowed in when.items():
        if other not in known:
            raise InputError(
                f"{name}: when: {other!r} is no earlier dimension{nearest(other, known)}"
            )
        if known[other].grid:
            raise InputError(f"{name}: when: {other!r} has 'fill'; conditions stand on choices")
        labels = tuple(allowed) if isinstance(allowed, list) else (allowed,)
        for label in labels:
            try:
                known[other].value(label)
            except InputError as error:
                raise InputError(f"{name}: when: {error}") from None
        conditions[str(other)] = labels
    return conditions
