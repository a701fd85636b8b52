"""How many CPU threads an operator of torch takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from search_spaces.errors import InputError

__all__ = ["MOST_THREADS", "shown_threads", "threads", "usual_threads"]

MOST_THREADS = 1024
"""More than any machine has; a mistyped number must not start as many."""


@contextmanager
def threads(count: int | None) -> Iterator[int]:
    """Inside, torch has that many (``None``: as before); gives how many it has.

    Raises:
        InputError: fewer than 1, or more than `MOST_THREADS`.
    """
    import torch

    if count is not None and not 1 <= count <= MOST_THREADS:
        raise InputError(f"threads: expected 1 to {MOST_THREADS}, got {count}")
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def usual_threads() -> int:
    """What an operator of torch takes in this process: ``OMP_NUM_THREADS``, else its own choice."""
    import torch

    return torch.get_num_threads()


def shown_threads(count: int) -> str:
    """``"1 thread"``, ``"2 threads"``."""
    return f"{count} thread{'s' if count != 1 else ''}"
