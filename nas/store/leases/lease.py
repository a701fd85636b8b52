"""What a worker's sign of life has to offer."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

__all__ = ["Lease", "LeaseLost", "NoTurn"]


class LeaseLost(RuntimeError):
    """Others took this worker for dead, and what it was working on is theirs now."""


class NoTurn(RuntimeError):
    """The others had their turns for longer than was to be waited."""


class Lease(Protocol):
    """A worker's sign of life, which its peers see, and its turn among them."""

    @property
    def worker(self) -> str:
        """A name for this worker that is unique among all machines; renewal changes it."""

    def alive(self, worker: str) -> bool:
        """Whether a worker still runs; in doubt it does.

        Within a turn, no trial of a living worker is without its name: they are asked for and
        claimed in one turn. So the nameless worker ``""`` is dead.
        """

    def check(self) -> None:
        """Makes sure that this worker counts as alive; cheap, for every training step.

        Raises:
            LeaseLost: others may have taken its trial up.
        """

    def renew(self) -> None:
        """A new lease in the place of a lost one."""

    def turn(self, limit_s: float | None = None) -> AbstractContextManager[None]:
        """What is done in such a block, the workers of a study do one after the other.

        The death of a worker ends its turn. Turns must not be nested, and nobody waits for one
        within a transaction: whoever has the turn may be waiting for its end.

        Args:
            limit_s: the longest wait, seconds; ``None``: until somebody wishes to stop.

        Raises:
            KeyboardInterrupt: somebody wishes to stop (`nas.stopping`), while waiting.
            NoTurn: after the limit.
        """

    def has_turn(self) -> bool:
        """Whether the turn that this worker is in has lasted until now.

        A database that goes down gives it to another one while this one still works in it.
        """

    def sweep(self) -> None:
        """Removes what the dead left behind."""

    def release(self) -> None:
        """Ends the lease."""
