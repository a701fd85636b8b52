"""What one case is: its name, and the command that it comes to."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["CANARY", "Case", "Command", "Draw"]

CANARY = "canary"
"""What crafted files try to make, in the folder where the command runs; nothing else does."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case: its class, its number there, and the seed of the campaign."""

    kind: str
    number: int
    seed: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"

    @property
    def rng(self) -> random.Random:
        """The dice that decide everything about it."""
        return random.Random(f"{self.seed}/{self.kind}/{self.number}")


@dataclass(frozen=True, slots=True)
class Command:
    """A command on a case's files.

    Attributes:
        argv: what stands behind ``nas``.
        what: was done to its input, for a person.
        outputs: paths below the case's folder that it may make or change; what lies below a
            folder among them as well.
        kept: paths among these that it may not change where it refuses.
        trains: whether it may take long with every right; it is then told to stop in time.
    """

    argv: tuple[str, ...]
    what: str
    outputs: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    trains: bool = False

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Command:
        """Back from JSON, which knows no tuples."""
        several = {key: tuple(plain[key]) for key in ("argv", "outputs", "kept")}
        return cls(**{**plain, **several})


Draw = Callable[[random.Random, Path, Path], Command]
"""Makes a case: (dice, its own empty folder, the folder of valid things) -> its command."""
