"""What an audit does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from nas.audit.signals import LEAST_NETWORKS
from nas.data.places import PhotoPlaces
from search_spaces.errors import InputError

__all__ = ["AuditSettings"]

_MOST_SEEDS = 1000


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """What an audit does.

    Attributes:
        networks: how many to train again, at least 3.
        factor: how many times longer than the proxy, at least 1.
        seeds: trainings of each network, the proxy's own seed and those after it.
        moved: folders of photos that are no longer where the search found them.
        device: ``"cpu"``, ``"cuda"``; ``None`` for the best there is.

    Raises:
        InputError: a value that makes no sense.
    """

    networks: int = 12
    factor: float = 5.0
    seeds: int = 2
    moved: PhotoPlaces = field(default_factory=PhotoPlaces)
    device: str | None = None

    def __post_init__(self) -> None:
        if self.networks < LEAST_NETWORKS:
            raise InputError(f"networks: expected at least {LEAST_NETWORKS}, got {self.networks}")
        if not (math.isfinite(self.factor) and self.factor > 1):
            raise InputError(
                f"factor: expected more than 1 (times the proxy's steps), got {self.factor:g}"
            )
        if not 1 <= self.seeds <= _MOST_SEEDS:
            raise InputError(f"seeds: expected 1 to {_MOST_SEEDS}, got {self.seeds}")
