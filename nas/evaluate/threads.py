"""How many CPU threads an operator of torch takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from search_spaces.errors import InputError

__all__ = ["threads"]


@contextmanager
def threads(count: int | None) -> Iterator[int]:
    """Inside, torch has that many (``None``: as before); gives how many it has.

    Raises:
        InputError: fewer than 1.
    """
    import torch

    if count is not None and count < 1:
        raise InputError(f"threads: expected 1 or more, got {count}")
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
