"""How large what a search is told may be: beyond, it would only reckon for ever."""

from __future__ import annotations

from search_spaces.errors import InputError

__all__ = ["MOST_CANDIDATES", "MOST_ETA", "MOST_RUNGS", "check_climb"]

MOST_RUNGS, MOST_ETA, MOST_CANDIDATES = 64, 1000.0, 1000


def check_climb(rungs: int, eta: float, candidates: int) -> None:
    """Checks what decides how networks are chosen.

    Raises:
        InputError: outside the range; names it.
    """
    for name, count, most in (
        ("rungs", rungs, MOST_RUNGS),
        ("candidates", candidates, MOST_CANDIDATES),
    ):
        if not 1 <= count <= most:
            raise InputError(f"{name}: expected 1 to {most}, got {count}")
    if not 1.0 < eta <= MOST_ETA:
        raise InputError(f"eta: expected more than 1 and at most {MOST_ETA:g}, got {eta:g}")
