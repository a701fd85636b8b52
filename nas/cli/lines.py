"""Texts with names in them that others chose, as lines that a terminal shows and nothing else."""

from __future__ import annotations

import io
import os
import sys

__all__ = ["always_printable", "one_line", "printable", "say"]

_LONGEST = 1_000
_KEPT_AT_THE_END = 400


def printable(text: str) -> str:
    """The text with what no terminal shows written out as Python writes it; ends of lines stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in text)


def one_line(text: str) -> str:
    """The same in one line of 1,000 characters at most; of a longer one, the middle is left out."""
    line = printable(text).replace("\n", r"\n")
    if len(line) <= _LONGEST:
        return line
    end = line[-_KEPT_AT_THE_END:]
    start = line[: _LONGEST - _KEPT_AT_THE_END]
    return f"{start} [... {len(line) - _LONGEST:,} characters ...] {end}"


def say(line: str) -> None:
    """A line on standard error, seen at once."""
    print(line, file=sys.stderr, flush=True)


def always_printable() -> None:
    """Has standard output and error write out what their encoding lacks; they are there, too."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by whoever started the process.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
