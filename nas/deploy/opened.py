"""An exported network in the hands of a runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nas.deploy.parity import Array

__all__ = ["Opened", "Taken"]


@dataclass(frozen=True, slots=True)
class Taken:
    """One input.

    Attributes:
        name: as the file has it.
        kind: of its numbers, such as ``"float32"``.
        shape: None where a side is free.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sides = ", ".join("any" if side is None else str(side) for side in self.shape)
        return f"{self.name}: {self.kind} ({sides})"


@dataclass(frozen=True, slots=True)
class Opened:
    """What all runtimes make of a file.

    Attributes:
        run: arrays by the inputs' names to the first output; from several threads, too.
        inputs: all that it takes.
        outputs: how many it gives.
        metadata: what the file says of itself (see `nas.deploy.metadata`).
    """

    run: Callable[[Mapping[str, Array]], Array]
    inputs: tuple[Taken, ...]
    outputs: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
