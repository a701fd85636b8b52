"""The best networks once more, as wide as the budgets hold: what a search looks at last.

A short training ranks a narrow network as high as the same one with more channels, which goes
further when it is trained to the end; so what wins a search may leave room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.choice import Choice
from nas.explore.propose import fixed_parameters
from nas.explore.warm import point_of
from nas.pareto import ranked
from nas.store.ledger import Standing
from search_spaces import Architecture
from search_spaces.dimension import Label

if TYPE_CHECKING:
    from nas.explore.settings import SearchSettings
    from nas.latency.meter import Meter

__all__ = ["Widened", "widened"]

_SHARE = 12
"""One of so many networks of a search."""

_BEST = 5
"""So many of the best are looked at for room."""


@dataclass(frozen=True, slots=True)
class Widened:
    """A network that is another one of the study with more channels.

    Attributes:
        source: ``"widened:NUMBER"``, of the trial with the narrow one.
        parameters: the study's parameters at which it is proposed.
    """

    source: str
    parameters: Mapping[str, Label]


def widened(
    standing: Standing, settings: SearchSettings, meter: Meter, choice: Choice
) -> Widened | None:
    """The widest form of the best network that has one that is new.

    ``None`` before a search's last networks, and where no budget says how wide is too wide.
    """
    if not settings.budget or standing.begun < settings.trials - settings.trials // _SHARE:
        return None
    # Those that were over a budget once measured, too.
    seen = {entry.record.architecture_hash for entry in standing.entries}
    space, scale = settings.space, settings.scale
    for record in ranked(standing.records, choice.budgets)[:_BEST]:
        narrow = Architecture.from_dict(dict(record.architecture))
        point = point_of(space, narrow, standing.entry(record.number).trial.params)
        wide = None if point is None else space.widened(point, scale, meter.fits)
        if wide is None or space.architecture(wide, scale).hash in seen:
            continue
        parameters = fixed_parameters(space, wide, scale, meter)
        if parameters is not None:
            return Widened(f"widened:{record.number}", parameters)
    return None
