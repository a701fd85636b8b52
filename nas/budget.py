"""Budgets as a user types them: ``600K-params``, ``30G-macs``, ``25ms-latency``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nas.objectives import OBJECTIVES, canonical
from search_spaces.errors import InputError

__all__ = ["Budget", "parse_budget", "parse_budgets"]

_PATTERN = re.compile(r"(?P<number>[0-9]*\.?[0-9]+)(?P<unit>[A-Za-z]*)-(?P<figure>[A-Za-z][\w-]*)")


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
    limited = {name: one for name, one in OBJECTIVES.items() if one.units}
    *others, last = [one.example for one in limited.values() if one.example]
    examples = f"{', '.join(others)} or {last}"
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise InputError(f"budget {text!r}: expected a number, a unit and a figure: {examples}")
    figure = canonical(match["figure"])
    if figure not in limited:
        known = ", ".join((*limited, "flops"))
        raise InputError(f"budget {text!r}: unknown figure {figure!r}; expected one of {known}")
    of_figure = limited[figure].units
    units = {unit.lower(): factor for unit, factor in of_figure.items()}
    unit = match["unit"].lower()
    if unit not in units:
        expected = ", ".join(unit or "none" for unit in of_figure)
        raise InputError(
            f"budget {text!r}: unit {match['unit'] or 'none'!r} does not fit {figure}; "
            f"expected one of {expected}, as in {examples}"
        )
    limit = float(match["number"]) * units[unit]
    if limit <= 0:
        raise InputError(f"budget {text!r}: expected more than zero, as in {examples}")
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
