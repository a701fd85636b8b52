"""Milliseconds from what a command prints."""

from __future__ import annotations

import math
import re

from search_spaces.errors import InputError

__all__ = ["NoTime", "milliseconds", "parse_pattern"]

_IN_MS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3}

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
# Not the digits of a name, of a version or of an address; a unit may follow.
_TIME = re.compile(
    rf"(?<![\w.])({_NUMBER})(?![\d,]*\d)(?:\s?({'|'.join(_IN_MS)})\b|(?![\w%]|\.\w))"
)


class NoTime(Exception):
    """What was printed says no time; one line says why not."""


def parse_pattern(text: str) -> re.Pattern[str]:
    """A pattern whose one group is the number; the group may be called by its unit.

    Raises:
        InputError: no regular expression, another number of groups, a name that is no unit.
    """
    try:
        pattern = re.compile(text, re.M)
    except re.error as error:
        raise InputError(f"--latency-pattern {text!r}: no regular expression ({error})") from None
    if pattern.groups != 1:
        raise InputError(
            f"--latency-pattern {text!r}: expected one group around the number, such as "
            f"'avg = ([0-9.]+)', got {pattern.groups}"
        )
    if unknown := [name for name in pattern.groupindex if name not in _IN_MS]:
        raise InputError(
            f"--latency-pattern {text!r}: the group's name is its unit: expected ns, us, ms or s, "
            f"got {unknown[0]}"
        )
    return pattern


def milliseconds(printed: str, pattern: re.Pattern[str] | None = None) -> float:
    """The last number of a text, or the last one that a pattern finds.

    Without a unit behind it (ns, us, ms, s), or one that the pattern's group is called by, it is
    milliseconds.

    Raises:
        NoTime: there is none, or it is no time.
    """
    if pattern is None:
        found = list(_TIME.finditer(printed))
        if not found:
            raise NoTime(f"printed no number: {_shown(printed)}")
        number, unit = found[-1].groups()
        if re.search(r"\d,$", printed[: found[-1].start()]):
            raise NoTime(f"printed a number with a comma, which a pattern must tell: "
                         f"{_shown(printed)}")  # fmt: skip
    else:
        matches = list(pattern.finditer(printed))
        if not matches or matches[-1][1] is None:
            raise NoTime(f"printed nothing that the pattern finds: {_shown(printed)}")
        number, unit = matches[-1][1], next(iter(pattern.groupindex), None)
    try:
        time_ms = float(number.replace(",", "")) * _IN_MS[unit or "ms"]
    except ValueError:
        raise NoTime(f"printed no number but {number!r}") from None
    if not (math.isfinite(time_ms) and time_ms > 0):
        raise NoTime(f"printed {number}, which is no time")
    return time_ms


def _shown(printed: str) -> str:
    """The end of what was printed, which says most."""
    lines = [line for line in printed.splitlines() if line.strip()]
    return repr(lines[-1].strip()[-80:]) if lines else "nothing at all"
