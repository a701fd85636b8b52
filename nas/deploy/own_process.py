"""A file of another maker tried in a process of its own, which it may end."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["ends_well"]

_LIMIT_S = 60


def ends_well(program: str, *words: str) -> bool:
    """Whether a program of Python ends with code 0, and before a minute is over.

    Args:
        program: path of its file.
        words: its arguments.
    """
    try:
        # -P: it finds none of the modules beside it by their short names.
        done = subprocess.run(
            [sys.executable, "-P", program, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
