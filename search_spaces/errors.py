"""The exceptions that every package of the project raises for bad input and bad surroundings."""

import difflib
from collections.abc import Iterable

__all__ = [
    "InputError",
    "MissingExtra",
    "NotPossible",
    "NothingToDraw",
    "StoreError",
    "WriteError",
    "first_line",
    "nearest",
]


class InputError(ValueError):
    """Bad input from the user: says what was expected, what came, and what to do.

    The message is one line for a person; the command line prints it without a
    traceback and ends with exit code 2. Those below it are for callers that go on where it is
    raised: of them all, only `NotPossible` may be remembered, since only that one stays true.
    """


class NotPossible(InputError):
    """A network, or every network of a space, does not allow what is asked of it.

    It cannot be folded, pruned to the budget, quantised or exported, or none fits the budget.
    A finding about it: the same call will not work later either.
    """


class NothingToDraw(InputError):
    """A run has nothing, or nothing yet, for the figure that is asked for."""


class StoreError(InputError):
    """A study's store or its shared checkpoints cannot be reached, read or written, or are damaged.

    The same call may work once that is mended; what was finished is kept.
    """


class WriteError(InputError):
    """A file cannot be written, or the disk is full.

    Says nothing of the network at hand: the same call may work once there is room.
    """


class MissingExtra(InputError):
    """A package that one of the project's extras brings is not installed.

    Says nothing of the network at hand: the same call may work once it is there.

    Args:
        told: what lacks it; how to install the extra is added.
        extra: its name in pyproject.toml.
    """

    def __init__(self, told: str, extra: str) -> None:
        super().__init__(told, extra)
        self.told, self.extra = told, extra

    def __str__(self) -> str:
        return f"{self.told}: pip install 'nas-sr[{self.extra}]'"


def first_line(error: BaseException) -> str:
    """What an exception says, of several lines the first one; its kind where it says nothing."""
    return (str(error) or type(error).__name__).splitlines()[0]


def nearest(name: str, names: Iterable[object]) -> str:
    """``": did you mean 'x'?"``, or the list of names where none is near."""
    known = [str(candidate) for candidate in names]
    close = difflib.get_close_matches(str(name), known, n=1)
    return f": did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(known)}"
