"""Budgets as a user types them: ``600K-params``, ``30G-macs``, ``25ms-latency``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nas.objectives import OBJECTIVES
from search_spaces.errors import InputError

__all__ = ["Budget", "parse_budget", "parse_budgets"]

_COUNT = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_UNITS: Mapping[str, Mapping[str, float]] = {
    "params": _COUNT,
    "macs": _COUNT,
    "activations": _COUNT,
    "latency": {"us": 1e-3, "ms": 1.0, "s": 1e3},
    "memory": {"KB": 1e-3, "MB": 1.0, "GB": 1e3},
}
# What the field calls FLOPs of a network are its multiply-adds.
_ALIASES = {"flops": "macs", "mult-adds": "macs", "multi-adds": "macs"}
_PATTERN = re.compile(r"(?P<number>[0-9]*\.?[0-9]+)(?P<unit>[A-Za-z]*)-(?P<figure>[A-Za-z-]+)")
_EXAMPLES = "600K-params, 30G-flops, 120M-activations, 25ms-latency or 200MB-memory"


@dataclass(frozen=True, slots=True)
class Budget:
    """A wall: the most that a network may cost in one figure.

    Attributes:
        name: of the figure among the objectives, such as ``"params"``.
        limit: in the unit of the record's field: units, multiply-adds, elements, ms or MB.
        text: as the user wrote it.
    """

    name: str
    limit: float
    text: str

    @property
    def attribute(self) -> str:
        """The field of a trial's record that this budget limits."""
        return OBJECTIVES[self.name].attribute


def parse_budget(text: str) -> Budget:
    """A budget from text.

    Raises:
        InputError: not a number, a unit and a figure; or not positive.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise InputError(f"budget {text!r}: expected a number, a unit and a figure: {_EXAMPLES}")
    figure = match["figure"].lower()
    figure = _ALIASES.get(figure, figure)
    if figure not in _UNITS:
        known = ", ".join((*_UNITS, "flops"))
        raise InputError(f"budget {text!r}: unknown figure {figure!r}; expected one of {known}")
    units = {unit.lower(): factor for unit, factor in _UNITS[figure].items()}
    unit = match["unit"].lower()
    if unit not in units:
        expected = ", ".join(unit or "none" for unit in _UNITS[figure])
        raise InputError(
            f"budget {text!r}: unit {match['unit'] or 'none'!r} does not fit {figure}; "
            f"expected one of {expected}, as in {_EXAMPLES}"
        )
    limit = float(match["number"]) * units[unit]
    if limit <= 0:
        raise InputError(f"budget {text!r}: expected more than zero, as in {_EXAMPLES}")
    return Budget(figure, limit, text.strip())


def parse_budgets(texts: Iterable[str]) -> tuple[Budget, ...]:
    """Several budgets, at most one for each figure.

    Raises:
        InputError: a malformed budget, or two for one figure.
    """
    budgets: dict[str, Budget] = {}
    for text in texts:
        budget = parse_budget(text)
        if budget.name in budgets:
            raise InputError(
                f"two budgets for {budget.name}: {budgets[budget.name].text} and {text}; give one"
            )
        budgets[budget.name] = budget
    return tuple(budgets.values())
